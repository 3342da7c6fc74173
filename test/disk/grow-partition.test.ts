import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPartitions } from '../../src/disk/gpt.ts';
import { readGptTable } from '../../src/disk/gpt-table.ts';
import { type GrowthPlan, planGrowth } from '../../src/disk/grow-partition.ts';
import { MemoryDevice } from '../support/memory-device.ts';
import { missing } from '../support/requirements.ts';

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const mebibyte = 1 << 20;
const sector = 512;

const layout = `label: gpt
name="boot", size=4MiB, type=L
name="root-a", size=8MiB, type=L
name="data", type=L
`;

/** What a reader of partition tables finds: of each partition the name, where it starts and its size. */
type Listing = string;

describe.skipIf(missing('disk', 'gdisk', 'grub') !== undefined)('a data partition', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-grow-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'disk.img');

  /** A disk of `before` MiB as sfdisk divides it, enlarged to `after` MiB. */
  const grown = (before: number, after: number, script = layout): Buffer => {
    rmSync(path, { force: true });
    writeFileSync(path, '');
    truncateSync(path, before * mebibyte);
    execFileSync('sfdisk', ['-q', '--no-reread', '--no-tell-kernel', path], { env, input: script });
    truncateSync(path, after * mebibyte);
    return readFileSync(path);
  };
  const planOf = async (bytes: Buffer): Promise<GrowthPlan | undefined> => {
    const table = await readGptTable(new MemoryDevice(bytes), 1);
    if (typeof table === 'string') throw new Error(table);
    return planGrowth(table, bytes.length, 'data');
  };
  const apply = (bytes: Buffer, stages: GrowthPlan['stages']): Buffer => {
    const result = Buffer.from(bytes);
    for (const { position, bytes } of stages.flat()) bytes.copy(result, position);
    return result;
  };

  /** Writes what a plan may have changed: in the middle the file has what `grown` left. */
  const put = (bytes: Buffer): void => {
    truncateSync(path, bytes.length);
    const file = openSync(path, 'r+');
    for (const at of [0, bytes.length - mebibyte]) writeSync(file, bytes, at, mebibyte, at);
    closeSync(file);
  };
  const sfdisk = (bytes: Buffer): { listing: Listing; complaints: string } => {
    put(bytes);
    const { stdout, stderr } = spawnSync('sfdisk', ['-J', path], { env, encoding: 'utf8' });
    const { partitions } = JSON.parse(stdout).partitiontable;
    const listing = partitions
      .map(
        ({ name, start, size, uuid }: Record<string, string | number>) =>
          `${name} ${start} ${size} ${uuid}`,
      )
      .join('\n');
    return { listing, complaints: stderr };
  };
  const sgdisk = (): string =>
    spawnSync('sgdisk', ['-v', path], { env, encoding: 'utf8' }).stdout.toString();
  /** What GRUB makes of the table, which looks at no checksum and at no backup. */
  const grub = (): string =>
    spawnSync('grub-fstest', [path, 'ls', '--', '-l', '(loop0,gpt3)'], { encoding: 'utf8' }).stdout;

  it('grows to the end of a disk that has grown, and sfdisk, sgdisk and GRUB agree', async () => {
    const bytes = grown(40, 72);
    const plan = await planOf(bytes);
    expect(plan).toMatchObject({ number: 3, before: 26 * mebibyte, after: 58 * mebibyte });
    const after = apply(bytes, plan?.stages ?? []);
    const { listing, complaints } = sfdisk(after);
    expect(listing).toMatch(new RegExp(`^data ${13 * 2048} ${58 * 2048} `, 'm'));
    expect(complaints).not.toMatch(/corrupt|backup/i);
    expect(sgdisk()).toContain('No problems found.');
    expect(grub()).toMatch(/59392KiB/);
    // Sector 0 is GRUB's, and what lies between the tables is the partitions'.
    expect(after.subarray(0, sector)).toEqual(bytes.subarray(0, sector));
    const inner = (all: Buffer) => all.subarray(34 * sector, (72 * 2048 - 33) * sector);
    expect(inner(after).equals(inner(bytes))).toBe(true);
    // All but the end of the last partition is as it was, and nothing is left to do.
    const before = sfdisk(bytes).listing;
    expect(listing.replace(`${58 * 2048}`, `${26 * 2048}`)).toBe(before);
    expect(await planOf(after)).toBeUndefined();
  });

  it('S7: cut at any sector of any stage the table is whole, old or new, and the rest follows', async () => {
    const bytes = grown(40, 72);
    const whole = await planOf(bytes);
    const stages = whole?.stages ?? [];
    const end = apply(bytes, stages);
    const tables = [sfdisk(bytes).listing, sfdisk(end).listing];
    for (const [index, stage] of stages.entries()) {
      const before = apply(bytes, stages.slice(0, index));
      for (const kept of subsets(sectorsOf(stage).length)) {
        const cut = apply(before, [sectorsOf(stage).filter((_, at) => kept(at))]);
        const { listing, complaints } = sfdisk(cut);
        expect(tables).toContain(listing);
        // Linux looks for no backup unless it is told to: the primary has to be whole.
        expect(complaints).not.toMatch(/corrupt|invalid|mismatch.*CRC/i);
        expect(typeof (await readGptTable(new MemoryDevice(cut), 1))).toBe('object');
        expect((await planOf(cut)) !== undefined || cut.equals(end)).toBe(true);
        const next = apply(cut, (await planOf(cut))?.stages ?? []);
        expect(next.equals(end)).toBe(true);
      }
      // What sgdisk and GRUB say between two stages.
      sfdisk(apply(bytes, stages.slice(0, index + 1)));
      expect(sgdisk()).not.toMatch(/main (header|partition table).*(invalid|CRC)/i);
      expect(grub()).toMatch(index === 0 ? /26624KiB/ : /59392KiB/);
    }
  });

  it('S7: a disk that grows once more after a cut is taken from there', async () => {
    const first = grown(40, 72);
    const cut = apply(first, (await planOf(first))?.stages.slice(0, 2) ?? []);
    const bytes = Buffer.concat([cut, Buffer.alloc(32 * mebibyte)]);
    const stages = (await planOf(bytes))?.stages ?? [];
    writeFileSync(path, bytes);
    for (let count = 0; count < stages.length; count += 1) {
      expect(sfdisk(apply(bytes, stages.slice(0, count))).complaints).not.toMatch(/corrupt/i);
    }
    sfdisk(apply(bytes, stages));
    expect(sgdisk()).toContain('No problems found.');
    expect((await readPartitions(new MemoryDevice(readFileSync(path)))).at(-1)?.size).toBe(
      90 * mebibyte,
    );
  });

  it.each<[string, () => Buffer]>([
    ['whose disk has not grown', () => grown(40, 40)],
    ['whose disk has grown by next to nothing', () => grown(40, 48)],
    [
      'that left room on purpose',
      () => grown(40, 72, layout.replace('"data",', '"data", size=9MiB,')),
    ],
    [
      'that another one lies behind',
      () =>
        grown(
          64,
          128,
          layout.replace('"data",', '"data", size=9MiB,').concat('name="mine", type=L\n'),
        ),
    ],
    ['that is not there', () => grown(40, 72, layout.replace('"data"', '"other"'))],
    ['whose disk became smaller', () => grown(40, 40).subarray(0, 36 * mebibyte)],
    [
      'of a table with its entries in a place of their own, which may be for a boot loader',
      () => {
        const bytes = grown(40, 72);
        writeFileSync(path, bytes);
        execFileSync('sgdisk', ['--move-main-table=1000', path], { env, stdio: 'ignore' });
        return readFileSync(path);
      },
    ],
  ])('%s stays as it is', async (_, make) => {
    expect(await planOf(make())).toBeUndefined();
  });

  it('S7: without the detour through the entries of the backup a cut leaves no primary table', async () => {
    const bytes = grown(40, 72);
    const [backup = [], , entries = [], header = []] = (await planOf(bytes))?.stages ?? [];
    const cut = apply(bytes, [backup, entries]);
    expect(await readGptTable(new MemoryDevice(cut), 1)).toBe('a wrong checksum of the entries');
    expect(sfdisk(cut).complaints).toMatch(/corrupt/);
    expect(await readGptTable(new MemoryDevice(apply(bytes, [backup, header])), 1)).toBe(
      'a wrong checksum of the entries',
    );
  });
});

/** The writes of a stage, a sector each. */
function sectorsOf(stage: GrowthPlan['stages'][number]): GrowthPlan['stages'][number] {
  return stage.flatMap(({ position, bytes }) =>
    Array.from({ length: Math.ceil(bytes.length / sector) }, (_, at) => ({
      position: position + at * sector,
      bytes: bytes.subarray(at * sector, (at + 1) * sector),
    })),
  );
}

/** Which of `count` sectors reach the disk: none, the first ones, the last ones, all, and some at random. */
function subsets(count: number): ((at: number) => boolean)[] {
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed;
  };
  const chosen = [...Array(2)].map(() => Array.from({ length: count }, () => random() % 2 === 0));
  if (count === 1) return [() => false, () => true];
  return [
    () => false,
    (at) => at === 0,
    (at) => at < count / 2,
    (at) => at >= count / 2,
    (at) => at !== 0,
    () => true,
    ...chosen.map((list) => (at: number) => list[at] === true),
  ];
}
