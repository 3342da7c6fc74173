import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { locateFile } from '../../src/boot/grub/ext4-file.ts';
import { bootFiles, GrubBootLoader } from '../../src/boot/grub/grub.ts';
import { rescueSize } from '../../src/boot/grub/rescue-codec.ts';
import { runProgram } from '../../src/install/program.ts';
import { missing } from '../support/requirements.ts';
import { makeBootFileSystem } from './support/boot-file-system.ts';
import { RecordedDevice } from './support/recorded-device.ts';
import { deploymentOf } from './support/tiny-machine.ts';

const asInstalled = ['-b', '4096', '-O', '^has_journal,^metadata_csum_seed'];

describe.skipIf(missing('disk') !== undefined)('GRUB on a boot partition', () => {
  let fresh: Buffer;
  let device: RecordedDevice;
  let grub: GrubBootLoader;
  beforeAll(async () => {
    fresh = await makeBootFileSystem(asInstalled);
  });
  beforeEach(() => {
    device = new RecordedDevice(fresh);
    grub = new GrubBootLoader(device);
  });

  const positionOf = async (path: string) =>
    (await locateFile(await device.open(), 'boot', path)).pieces[0]?.position ?? -1;

  it('reads what was installed', async () => {
    expect(await grub.readChoice()).toEqual({ order: [1] });
    expect(await grub.readDeployment(1)).toEqual(deploymentOf(1));
    expect(await grub.readDeployment(2)).toBe(undefined);
    expect(await grub.readRescue()).toBe(undefined);
  });

  it('S3: the choice changes in one write of one sector, flushed, then read back uncached', async () => {
    const position = await positionOf('grub/grubenv');
    device.steps.length = 0;
    await grub.writeChoice({ order: [2, 1], trial: { block: 2, tries: 2 } });
    const writes = device.steps.filter(({ kind }) => kind === 'write');
    expect(writes).toEqual([{ kind: 'write', position, length: 512 }]);
    expect(position % 512).toBe(0);
    const kinds = device.steps.map(({ kind }) => kind).filter((kind) => kind !== 'read');
    expect(kinds).toEqual(['open', 'write', 'flush', 'close', 'drop-cache', 'open', 'close']);
    expect(device.steps.at(-2)).toEqual({ kind: 'read', position, length: 512 });
    expect(await grub.readChoice()).toEqual({ order: [2, 1], trial: { block: 2, tries: 2 } });
    const expected = Buffer.from(fresh);
    device.bytes.copy(expected, position, position, position + 512);
    expect(device.bytes.equals(expected)).toBe(true);
  });

  it('S3: a medium that loses the write, or breaks it, is noticed', async () => {
    device.onWrite = () => undefined;
    await expect(grub.writeChoice({ order: [2, 1] })).rejects.toMatchObject({
      code: 'CORRUPT_BOOT_FILE',
    });
    device.onWrite = (_, bytes) => Buffer.from(bytes).fill(0, 300);
    await expect(grub.writeChoice({ order: [2, 1] })).rejects.toMatchObject({
      code: 'CORRUPT_BOOT_FILE',
    });
  });

  it('S1: an argument block that the choice names is not written', async () => {
    await grub.writeDeployment(2, deploymentOf(2));
    expect(await grub.readDeployment(2)).toEqual(deploymentOf(2));
    await grub.writeChoice({ order: [2, 1], trial: { block: 2, tries: 1 } });
    const before = Buffer.from(device.bytes);
    for (const block of [1, 2]) {
      await expect(grub.writeDeployment(block, deploymentOf(3))).rejects.toMatchObject({
        code: 'STATE_BLOCK_IN_USE',
      });
    }
    expect(device.bytes.equals(before)).toBe(true);
  });

  it('S6: an argument block is flushed before anything names it', async () => {
    device.steps.length = 0;
    await grub.writeDeployment(3, deploymentOf(3));
    const kinds = device.steps.map(({ kind }) => kind);
    expect(kinds.lastIndexOf('flush')).toBeGreaterThan(kinds.lastIndexOf('write'));
    expect(device.steps).toContainEqual({
      ...{ kind: 'write', length: 4096 },
      position: await positionOf(bootFiles.deployment(3)),
    });
  });

  it('a damaged choice or block reads as undefined, and can be written again', async () => {
    device.bytes.fill(
      0xaa,
      await positionOf('grub/grubenv'),
      (await positionOf('grub/grubenv')) + 512,
    );
    expect(await grub.readChoice()).toBe(undefined);
    await grub.writeChoice({ order: [1] });
    expect(await grub.readChoice()).toEqual({ order: [1] });
  });

  it('S7, S11: the rescue copy survives a cut at any sector of its replacement', async () => {
    await grub.writeRescue(Buffer.alloc(20_480, 'one'));
    await grub.writeRescue(Buffer.alloc(30_720, 'two'));
    expect(await grub.readRescue()).toEqual(Buffer.alloc(30_720, 'two'));
    const before = Buffer.from(device.bytes);
    const next = Buffer.alloc(10_240, 'three');
    for (let sectors = 0; sectors <= 21; sectors += 1) {
      device.bytes = Buffer.from(before);
      let left = sectors * 512;
      device.onWrite = (_, bytes) => {
        const stored = bytes.subarray(0, left);
        left -= stored.length;
        return stored;
      };
      await grub.writeRescue(next).catch(() => undefined);
      const found = await grub.readRescue();
      const expected = sectors < 21 ? Buffer.alloc(30_720, 'two') : next;
      expect(found?.equals(expected), `${sectors} sectors`).toBe(true);
    }
  });

  it('S10: a rescue copy that is too large is refused before anything is written', async () => {
    await grub.writeRescue(Buffer.alloc(rescueSize - 512, 1));
    const before = Buffer.from(device.bytes);
    await expect(grub.writeRescue(Buffer.alloc(rescueSize - 511))).rejects.toMatchObject({
      code: 'SPACE_RESCUE',
    });
    expect(device.bytes.equals(before)).toBe(true);
  });

  it('after all that, e2fsck finds nothing to say and the kernel of debugfs reads the same', async () => {
    await grub.writeDeployment(2, deploymentOf(2));
    await grub.writeChoice({ order: [2, 1] });
    await grub.writeRescue(Buffer.alloc(65_536, 'rescue'));
    const folder = mkdtempSync(join(tmpdir(), 'pine-fsck-'));
    try {
      const path = join(folder, 'boot.img');
      writeFileSync(path, device.bytes);
      expect(await runProgram('e2fsck', ['-fn', path])).toMatch(/24\/\d+ files/);
      const text = await runProgram('debugfs', ['-R', 'cat /grub/deployment-2.env', path]);
      expect(text).toContain(`pine_commit=${'2'.repeat(64)}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(missing('disk') !== undefined)('locateFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-ext4-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ['ext4 as installed', asInstalled],
    ['ext4 with a journal and 1 KiB blocks', ['-b', '1024', '-O', '^metadata_csum_seed']],
    [
      'ext4 with 32-bit descriptors',
      ['-b', '4096', '-O', '^64bit,^metadata_csum_seed,^has_journal'],
    ],
    ['ext2: block maps instead of extents', ['-t', 'ext2', '-b', '1024']],
    ['ext2 with 4 KiB blocks and small inodes', ['-t', 'ext2', '-b', '4096', '-I', '128']],
  ];
  it.each(kinds)('finds every block that debugfs finds: %s', async (_, options) => {
    const bytes = await makeBootFileSystem(options);
    const path = join(folder, 'fs.img');
    writeFileSync(path, bytes);
    const blockSize = options.includes('1024') ? 1024 : 4096;
    for (const file of [
      'grub/grubenv',
      'grub/grub.cfg',
      'grub/deployment-4.env',
      'grub/rescue-1',
    ]) {
      const device = await new RecordedDevice(bytes).open();
      const { pieces, size } = await locateFile(device, 'boot', file);
      const listed = await runProgram('debugfs', ['-R', `blocks /${file}`, path]);
      // In a block map debugfs also lists the block that holds the numbers.
      const expected = new Set(/^[\d \n]+$/m.exec(listed)?.[0].trim().split(/\s+/).map(Number));
      const found = pieces.flatMap(({ position, length }) =>
        Array.from({ length: Math.ceil(length / blockSize) }, (_, i) => position / blockSize + i),
      );
      expect(found.length).toBe(Math.ceil(size / blockSize));
      expect(expected.size - found.length).toBe(
        found.length > 12 && options.includes('ext2') ? 1 : 0,
      );
      for (const block of found) expect(expected).toContain(block);
    }
  });

  it('ends in a PineError for whatever is damaged, and reads nothing outside', async () => {
    const bytes = await makeBootFileSystem(asInstalled, 4 << 20);
    let seed = 1;
    const random = (limit: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % limit;
    };
    let refused = 0;
    // The metadata of so small a file system lies in its first 512 KiB.
    for (let run = 0; run < 300; run += 1) {
      const damaged = Buffer.from(bytes);
      for (let hit = 0; hit < 40; hit += 1)
        damaged.writeUInt8(random(256), 1024 + random(80 * 4096));
      for (let hit = 0; hit < 3; hit += 1) damaged.writeUInt8(random(256), 1024 + random(264));
      const device = await new RecordedDevice(damaged).open();
      try {
        await locateFile(device, 'boot', 'grub/rescue-1');
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^(CORRUPT_EXT4|NOT_FOUND_BOOT_FILE)$/),
        });
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(30);
  });

  it('refuses a file with a hole, and one that is missing', async () => {
    const path = join(folder, 'hole.img');
    writeFileSync(path, await makeBootFileSystem(asInstalled));
    await runProgram('debugfs', ['-w', '-R', 'punch /grub/grubenv 0 0', path]);
    const device = await new RecordedDevice((await import('node:fs')).readFileSync(path)).open();
    await expect(locateFile(device, 'boot', 'grub/grubenv')).rejects.toMatchObject({
      code: 'CORRUPT_EXT4',
    });
    await expect(locateFile(device, 'boot', 'grub/nothing')).rejects.toMatchObject({
      code: 'NOT_FOUND_BOOT_FILE',
    });
  });
});
