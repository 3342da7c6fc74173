import { PineError } from '../../error.ts';
import { mountTableLimit, parseMounts, visibleMounts } from '../kept/mount-table.ts';
import type { Machine } from '../machine.ts';
import { previousOf } from './find.ts';

const mountTime = 60;
/** Seconds. After a power cut a journal is replayed; on a damaged one e2fsck goes through all of it. */
const checkTime = 1800;

/** Where the old system's files are, to be read. */
export function oldRootFolder({ data }: Pick<Machine, 'data'>): string {
  return `${data}/old-root`;
}

/** Where the file system is that takes its place once it was wiped. */
export function spareFolder({ data }: Pick<Machine, 'data'>): string {
  return `${data}/spare`;
}

/** Where the partition is mounted, if it is. */
export async function placesOf(machine: Machine): Promise<readonly string[]> {
  const bytes = await machine.files.readFile('/proc/mounts', mountTableLimit);
  const { path } = previousOf(machine);
  return visibleMounts(parseMounts(bytes?.toString('latin1') ?? ''))
    .filter(({ source }) => source === path)
    .map(({ place }) => place);
}

/**
 * Mounts the old system's files. Without its journal, which a read-only mount would replay too: the partition stays
 * byte for byte as it is (S1). Returns what went wrong.
 */
export async function mountOldRoot(machine: Machine): Promise<string | undefined> {
  const options = 'ro,noload,nosuid,nodev,noexec,errors=remount-ro';
  return mount(machine, options, oldRootFolder(machine));
}

/** Checks, repairs and mounts what took the old system's place. Returns what went wrong. */
export async function mountSpare(machine: Machine): Promise<string | undefined> {
  if ((await placesOf(machine)).includes(spareFolder(machine))) return undefined;
  const parameters = ['-p', previousOf(machine).path];
  const { detail } = await machine.effects.runProgram('e2fsck', checkTime, { parameters });
  // 1 and 2: it found something, and mended it.
  if (!/^exit [012]\b/.test(detail)) return `e2fsck: ${detail}`;
  return mount(machine, 'noatime,nosuid,nodev,errors=remount-ro', spareFolder(machine));
}

async function mount(
  machine: Machine,
  options: string,
  folder: string,
): Promise<string | undefined> {
  if ((await placesOf(machine)).includes(folder)) return undefined;
  await machine.files.makeFolder(folder, 0o755);
  const parameters = ['-t', 'ext4', '-o', options, previousOf(machine).path, folder];
  const { passed, detail } = await machine.effects.runProgram('mount', mountTime, { parameters });
  return passed ? undefined : `mount: ${detail}`;
}

/** Takes the old system's files from their place. Throws STATE_OLD_SYSTEM_MOUNTED when they are in use. */
export async function unmountOldRoot(machine: Machine): Promise<void> {
  const folder = oldRootFolder(machine);
  for (const place of await placesOf(machine)) {
    const parameters = [place];
    const { passed, detail } =
      place === folder
        ? await machine.effects.runProgram('umount', mountTime, { parameters })
        : { passed: false, detail: 'mounted by somebody else' };
    if (passed) continue;
    throw new PineError('STATE_OLD_SYSTEM_MOUNTED', "the old system's partition is in use", {
      expected: `to be mounted nowhere, or at ${folder} with no file open`,
      found: detail,
      where: place,
      remedy: `umount ${place}, then run the command again`,
    });
  }
}
