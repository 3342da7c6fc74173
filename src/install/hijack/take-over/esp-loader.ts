import { createHash } from 'node:crypto';
import { PineError } from '../../../error.ts';
import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import { type FatEntry, FatFileSystem, fatEntrySize, type Run, shortName } from '../storage/fat.ts';
import type { EspFolder } from './esp-folders.ts';
import type { Change, Check, LoaderSteps } from './steps.ts';

const sector = 512;
const nameSize = 11;
/** What an entry says of its content: two halves of the first cluster's number, and the size. */
const [upperHalf, lowerHalf] = [20, 26];
const halfSize = 2;

/**
 * The commitment of a machine with UEFI: firmware finds `\EFI\debian` and `\EFI\BOOT` by entries that all lie in one
 * sector of the folder `\EFI`. That sector is rewritten so that these names lead to the folders that lie ready,
 * and other names to the old ones. Nothing else of the file system changes: it is whole before and after.
 *
 * Reads the disk as it is: everything has to be on it. `core` is what the folders that lie ready hold. Throws INPUT_ESP, and
 * CORRUPT_ESP when something else was read back.
 */
export async function espLoaderSteps(
  disk: Pick<PositionedReader, 'read'>,
  start: number,
  folders: readonly EspFolder[],
  core: Buffer,
  name: string,
): Promise<LoaderSteps> {
  const fat = await FatFileSystem.open(disk, start, name);
  const entries = await fat.list(['EFI']);
  const find = (wanted: string): FatEntry => {
    const found = entries.find((entry) => entry.name === shortName(wanted));
    if (found?.isFolder === true) return found;
    throw unusable(name, `\\EFI\\${wanted} under a name of eight characters`, 'none');
  };
  const pairs = folders.map((folder) => ({
    folder,
    current: folder.exists ? find(folder.name) : undefined,
    ready: find(folder.ready),
  }));
  const positions = pairs.flatMap(({ current, ready }) =>
    [current, ready].flatMap((one) => (one === undefined ? [] : [one.position])),
  );
  const sectors = new Set(positions.map((position) => Math.floor(position / sector)));
  const [at = 0, another] = sectors;
  if (another !== undefined || pairs.some(({ ready }) => ready.hasLongName)) {
    throw unusable(name, 'the entries of \\EFI in one sector', `them in ${sectors.size}`);
  }
  const bytes = await disk.read(at * sector, sector);
  const raw = ({ position }: FatEntry, offset: number, size: number) =>
    Buffer.from(bytes.subarray(position - at * sector + offset).subarray(0, size));
  /** What is in `entry` becomes what is in `other`. */
  const take = (entry: FatEntry, other: FatEntry): Change[] =>
    [upperHalf, lowerHalf].map((offset) => ({
      offset: entry.position - at * sector + offset,
      before: raw(entry, offset, halfSize),
      after: raw(other, offset, halfSize),
    }));
  const rename = (entry: FatEntry, to: string): Change => ({
    offset: entry.position - at * sector,
    before: raw(entry, 0, nameSize),
    after: Buffer.from(shortName(to), 'latin1'),
  });
  const changes = pairs.flatMap(({ folder, current, ready }) =>
    current === undefined
      ? [rename(ready, folder.name)]
      : [
          ...[{ ...rename(current, folder.name), after: raw(current, 0, nameSize) }],
          ...take(current, ready),
          rename(ready, folder.old),
          ...take(ready, current),
        ],
  );
  return {
    before: [],
    commitment: { kind: 'patch', name: 'loader-sector', sector: at, changes },
    checks: [
      { kind: 'bytes', sector: at, bytes: changes },
      ...(await sumsOf(
        disk,
        (await Promise.all(pairs.map(({ ready }) => fat.linksOf(ready)))).flat(),
      )),
      ...(await checksOfFiles(disk, fat, folders, core, name)),
    ],
  };
}

/** What lies ready: the entries in its folders, and the programs, read back. */
async function checksOfFiles(
  disk: Pick<PositionedReader, 'read'>,
  fat: FatFileSystem,
  folders: readonly EspFolder[],
  core: Buffer,
  name: string,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { ready, programs } of folders) {
    const entries = await fat.list(['EFI', ready]);
    for (const program of programs) {
      const entry = entries.find((one) => one.name === shortName(program));
      const runs = entry?.size === core.length ? await fat.runsOf(entry) : [];
      let at = 0;
      for (const { start, size } of runs) {
        const same = (await disk.read(start, size)).equals(core.subarray(at, at + size));
        if (!same) break;
        at += size;
      }
      if (entry === undefined || at < core.length) {
        throw new PineError('CORRUPT_ESP', 'the EFI system partition holds not what was written', {
          expected: `GRUB in \\EFI\\${ready}\\${program}`,
          found: entry === undefined ? 'no such file' : `other bytes from byte ${at} on`,
          where: name,
          remedy: 'check it with fsck.vfat, then try again',
        });
      }
      checks.push(...(await sumsOf(disk, [...runs, ...(await fat.linksOf(entry))])));
      const { position } = entry;
      const own = Math.floor(position / sector) * sector;
      const bytes = await disk.read(position, fatEntrySize);
      const part = (from: number, to: number) => ({
        offset: position - own + from,
        before: Buffer.from(bytes.subarray(from, to)),
      });
      // Between them are dates, which change when a file is only read.
      const places = [part(0, nameSize + 1), part(upperHalf, 22), part(lowerHalf, fatEntrySize)];
      checks.push({ kind: 'bytes', sector: own / sector, bytes: places });
    }
  }
  return checks;
}

async function sumsOf(
  disk: Pick<PositionedReader, 'read'>,
  runs: readonly Run[],
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { start, size } of runs) {
    const bytes = await disk.read(start, size); // at most a core
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    checks.push({ kind: 'sum', start, size, sha256 });
  }
  return checks;
}

function unusable(where: string, expected: string, found: string): PineError {
  return new PineError('INPUT_ESP', 'the EFI system partition can not be used', {
    ...{ expected, found, where },
    remedy: 'remove folders that nothing needs from \\EFI, or install an image: pinectl image',
  });
}
