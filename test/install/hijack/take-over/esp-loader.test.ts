import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FatFileSystem } from '../../../../src/install/hijack/storage/fat.ts';
import {
  espFolders,
  putReady,
  removeReady,
} from '../../../../src/install/hijack/take-over/esp-folders.ts';
import { espLoaderSteps } from '../../../../src/install/hijack/take-over/esp-loader.ts';
import { bytesReader } from '../../../../src/ports/positioned-reader.ts';
import { missing } from '../../../support/requirements.ts';

const MiB = 1 << 20;
const start = MiB;
const tools = { env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' } };
const core = randomBytes(700_001);
const oldGrub = randomBytes(300_000);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-esp-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Options {
  /** Options of mkfs.vfat. */
  readonly options: readonly string[];
  readonly size: number;
  /** Folders of \EFI, each with these programs. */
  readonly folders: Readonly<Record<string, readonly string[]>>;
}

/** A disk with an EFI system partition as mkfs.vfat and mtools make it, with what lies ready on it. */
async function ready({ options, size, folders }: Options) {
  const work = mkdtempSync(join(folder, 'run-'));
  const disk = join(work, 'disk.img');
  const file = openSync(disk, 'w');
  ftruncateSync(file, start + size);
  closeSync(file);
  const place = ['--offset', String(start / 512), disk, String(size / 1024)];
  execFileSync('mkfs.vfat', [...options, ...place], { ...tools, stdio: 'ignore' });
  const copy = (sources: string[], to: string) =>
    execFileSync('mcopy', ['-s', '-i', `${disk}@@${start}`, ...sources, to], tools);
  const efi = join(work, 'old/EFI');
  mkdirSync(efi, { recursive: true });
  execFileSync('mmd', ['-i', `${disk}@@${start}`, '::/EFI'], tools);
  for (const [name, programs] of Object.entries(folders)) {
    mkdirSync(join(efi, name));
    for (const program of programs) writeFileSync(join(efi, name, program), oldGrub);
    copy([join(efi, name)], '::/EFI/');
  }
  const found = Object.entries(folders).map(([name, programs]) => ({ name, programs }));
  const planned = espFolders(found);
  const tree = join(work, 'ready');
  mkdirSync(join(tree, 'EFI'), { recursive: true });
  await putReady(tree, planned, core);
  copy(
    planned.map((one) => join(tree, 'EFI', one.ready)),
    '::/EFI/',
  );
  const read = () => bytesReader(readFileSync(disk));
  return {
    planned,
    steps: () => espLoaderSteps(read(), start, planned, core, 'the disk'),
    read,
    /** What fsck.vfat says is wrong. */
    faults: () => {
      writeFileSync(`${disk}.esp`, readFileSync(disk).subarray(start));
      const script = 'fsck.vfat -n "$0" 2>&1 || true';
      return execFileSync('sh', ['-c', script, `${disk}.esp`], tools)
        .toString()
        .split('\n')
        .filter((line) => !/^(fsck\.fat|$)|: \d+ files, /.test(line));
    },
    content: (path: string) => {
      try {
        const args = ['-n', '-i', `${disk}@@${start}`, `::/EFI/${path}`, '-'];
        const bytes = execFileSync('mcopy', args, {
          ...tools,
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        return bytes.equals(core) ? 'pine' : bytes.equals(oldGrub) ? 'old' : 'another';
      } catch {
        return undefined;
      }
    },
    find: (bytes: Buffer) => readFileSync(disk).indexOf(bytes),
    change: (at: number, bytes: Uint8Array) => {
      const whole = readFileSync(disk);
      whole.set(bytes, at);
      writeFileSync(disk, whole);
    },
  };
}

const fat32: Pick<Options, 'options' | 'size'> = {
  options: ['-F', '32', '-s', '1'],
  size: 40 * MiB,
};
const kinds: [string, Pick<Options, 'options' | 'size'>][] = [
  ['FAT32', fat32],
  ['FAT32 with clusters of 1 KiB', { options: ['-F', '32', '-s', '2'], size: 66 * MiB }],
  ['FAT16', { options: ['-F', '16', '-s', '4'], size: 40 * MiB }],
];
const debian = { debian: ['shimx64.efi', 'grubx64.efi'], BOOT: ['BOOTX64.EFI'] };

describe.skipIf(missing('disk') !== undefined)('the commitment of a machine with UEFI', () => {
  test.each(kinds)(
    'is one sector of \\EFI, and leaves a whole file system: %s',
    async (_, kind) => {
      const esp = await ready({ ...kind, folders: debian });
      expect(esp.faults()).toEqual([]);
      const { before, commitment, checks } = await esp.steps();
      expect(before).toEqual([]);
      if (commitment.kind !== 'patch') throw new Error(commitment.kind);
      const names = ['debian/shimx64.efi', 'debian/grubx64.efi', 'BOOT/BOOTX64.EFI'];
      expect(names.map(esp.content)).toEqual(['old', 'old', 'old']);
      const bytes = await esp.read().read(commitment.sector * 512, 512);
      for (const { offset, before, after } of commitment.changes) {
        expect(bytes.subarray(offset, offset + before.length)).toEqual(before);
        bytes.set(after, offset);
      }
      esp.change(commitment.sector * 512, bytes);
      expect(esp.faults()).toEqual([]);
      expect(names.map(esp.content)).toEqual(['pine', 'pine', 'pine']);
      expect(['OLD-1/grubx64.efi', 'OLD-2/BOOTX64.EFI'].map(esp.content)).toEqual(['old', 'old']);
      expect(checks.filter(({ kind }) => kind === 'sum').length).toBeGreaterThanOrEqual(4);
    },
  );

  test('gives firmware without boot entries a \\EFI\\BOOT where there was none', async () => {
    const esp = await ready({ ...fat32, folders: { debian: ['grubx64.efi'] } });
    const { commitment } = await esp.steps();
    if (commitment.kind !== 'patch') throw new Error(commitment.kind);
    const bytes = await esp.read().read(commitment.sector * 512, 512);
    for (const { offset, after } of commitment.changes) bytes.set(after, offset);
    esp.change(commitment.sector * 512, bytes);
    expect(['debian/grubx64.efi', 'BOOT/BOOTX64.EFI'].map(esp.content)).toEqual(['pine', 'pine']);
    expect(esp.content('OLD-1/grubx64.efi')).toBe('old');
    expect(esp.faults()).toEqual([]);
  });

  test('is not planned when the entries are not in one sector, or a name is long', async () => {
    const many = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`D${index}`, []]));
    const far = await ready({ ...fat32, folders: { debian: ['grubx64.efi'], ...many } });
    await expect(far.steps()).rejects.toMatchObject({ code: 'INPUT_ESP' });
    const long = await ready({ ...fat32, folders: { 'debian-12-server': ['grubx64.efi'] } });
    await expect(long.steps()).rejects.toMatchObject({ code: 'INPUT_ESP' });
  });

  test('is not planned when other bytes are read back than were written', async () => {
    const esp = await ready({ ...fat32, folders: debian });
    const at = esp.find(core.subarray(4096, 4608));
    esp.change(at + 5, Buffer.from('x'));
    await expect(esp.steps()).rejects.toMatchObject({ code: 'CORRUPT_ESP' });
  });

  test('what lies ready is taken away again, and nothing else', async () => {
    const tree = mkdtempSync(join(folder, 'mounted-'));
    mkdirSync(join(tree, 'EFI/debian'), { recursive: true });
    await putReady(tree, espFolders([{ name: 'debian', programs: ['grubx64.efi'] }]), core);
    expect(readFileSync(join(tree, 'EFI/PINE-2/BOOTX64.EFI')).equals(core)).toBe(true);
    await removeReady(tree);
    expect(execFileSync('ls', [join(tree, 'EFI')]).toString()).toBe('debian\n');
    await removeReady(join(tree, 'nothing'));
  });
});

describe('a file system that is no FAT that pine reads', () => {
  test('zeros, random bytes and a FAT12 are errors', async () => {
    const read = (bytes: Buffer) => FatFileSystem.open(bytesReader(bytes), 0, 'the disk');
    await expect(read(Buffer.alloc(512))).rejects.toMatchObject({ code: 'INPUT_ESP' });
    const sector = Buffer.alloc(512);
    sector.writeUInt16LE(512, 11);
    sector.writeUInt16LE(0xaa55, 510);
    await expect(read(sector)).rejects.toMatchObject({ code: 'INPUT_ESP' });
    const file = join(folder, 'fat12.img');
    writeFileSync(file, Buffer.alloc(2 * MiB));
    execFileSync('mkfs.vfat', ['-F', '12', file], { ...tools, stdio: 'ignore' });
    await expect(read(readFileSync(file))).rejects.toMatchObject({
      code: 'INPUT_ESP',
      details: { found: 'a FAT12' },
    });
  });

  test('chains that lead in a circle or outside end', async () => {
    const bytes = Buffer.alloc(MiB);
    bytes.writeUInt16LE(512, 11);
    bytes.writeUInt8(1, 13); // sectors in a cluster
    bytes.writeUInt16LE(1, 14); // sectors before the tables
    bytes.writeUInt8(1, 16);
    bytes.writeUInt16LE(2000, 19);
    bytes.writeUInt32LE(16, 36); // sectors of a table
    bytes.writeUInt32LE(2, 44); // the root's first cluster
    bytes.writeUInt16LE(0xaa55, 510);
    const fat = await FatFileSystem.open(bytesReader(bytes), 0, 'the disk');
    for (const next of [2, 1, 0x00ffffff]) {
      bytes.writeUInt32LE(next, 512 + 2 * 4);
      await expect(fat.list(['EFI'])).rejects.toMatchObject({ code: 'INPUT_ESP' });
    }
    bytes.writeUInt32LE(0x0fffffff, 512 + 2 * 4);
    expect(await fat.list([])).toEqual([]);
  });
});
