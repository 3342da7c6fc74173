import { mkdtemp, open, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyFile } from '../disk/empty-file.ts';
import { runProgram } from './program.ts';

/** A place on a disk image, in bytes. */
export interface Place {
  readonly path: string;
  readonly start: number;
  readonly size: number;
}

/** What makes a file system the same each time. */
export interface Identity {
  readonly label: string;
  readonly uuid: string;
  /** Seconds since 1970, for every time stamp. */
  readonly time: number;
}

/** A file or folder that a new ext4 file system begins with. */
export interface InitialEntry {
  readonly path: string;
  readonly mode: number;
}

/**
 * Makes an ext4 file system that holds `entries`, which must be all that is in `folder`. They belong to
 * root whoever calls, and their times are the identity's.
 */
export async function makeExt4(
  place: Place,
  folder: string,
  entries: readonly InitialEntry[],
  identity: Identity,
  options: readonly string[],
): Promise<void> {
  const { label, uuid, time } = identity;
  const env = { E2FSPROGS_FAKE_TIME: String(time), SOURCE_DATE_EPOCH: String(time) };
  const extended = `offset=${place.start},root_owner=0:0,hash_seed=${uuid}`;
  await runProgram(
    'mkfs.ext4',
    [
      ...['-q', '-F', '-L', label, '-U', uuid, '-b', '4096', ...options],
      ...['-d', folder, '-E', extended, place.path, `${place.size / 1024}k`],
    ],
    { env },
  );
  const commands = [{ path: '', mode: 0o40755 }, ...entries].flatMap(({ path, mode }) => [
    ...['uid 0', 'gid 0', `mode 0${mode.toString(8)}`].map((field) => `sif "/${path}" ${field}`),
    ...['atime', 'ctime', 'mtime', 'crtime'].map((field) => `sif "/${path}" ${field} @${time}`),
  ]);
  const input = `${commands.join('\n')}\n`;
  await runProgram('debugfs', ['-w', '-f', '-', `${place.path}?offset=${place.start}`], {
    input,
    env,
  });
}

/** Makes the EFI system partition with one file: the loader that firmware looks for by itself. */
export async function makeEsp(place: Place, loader: string, identity: Identity): Promise<void> {
  const { label, uuid, time } = identity;
  const fat = place.size >= 34 << 20 ? '32' : '16';
  await runProgram('mkfs.vfat', [
    // --invariant sets a number of its own, so -i has to follow it.
    ...['--invariant', '-F', fat, '-s', '1', '-n', label, '-i', uuid.slice(0, 8)],
    ...['--offset', String(place.start / 512), '-h', String(place.start / 512)],
    ...[place.path, String(place.size / 1024)],
  ]);
  const image = `${place.path}@@${place.start}`;
  const env = { SOURCE_DATE_EPOCH: String(time), TZ: 'UTC', MTOOLS_SKIP_CHECK: '1' };
  await utimes(loader, time, time);
  await runProgram('mmd', ['-i', image, '::/EFI', '::/EFI/BOOT'], { env });
  await runProgram('mcopy', ['-i', image, '-m', loader, '::/EFI/BOOT/BOOTX64.EFI'], { env });
}

/** Writes the header of a swap area. */
export async function makeSwap(place: Place, { label, uuid }: Identity): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pine-swap-'));
  try {
    const file = join(folder, 'swap');
    await emptyFile(file, place.size);
    await runProgram('mkswap', ['-q', '-p', '4096', '-L', label, '-U', uuid, file]);
    const header = (await readFile(file)).subarray(0, 4096);
    const disk = await open(place.path, 'r+');
    try {
      await disk.write(header, 0, header.length, place.start);
    } finally {
      await disk.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
