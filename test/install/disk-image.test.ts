import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrubBootLoader } from '../../src/boot/grub/grub.ts';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { decodeTrailer, trailerSize } from '../../src/image/trailer.ts';
import { type CommitImage, findCommitImage } from '../../src/install/commit-image.ts';
import { type DiskImageRequest, writeDiskImage } from '../../src/install/disk-image.ts';
import { runProgram } from '../../src/install/program.ts';
import { Repository } from '../../src/repo/repository.ts';
import { runQemu } from '../boot/support/qemu.ts';
import { wholeBootFolder } from '../boot/support/slot-image.ts';
import { missing } from '../support/requirements.ts';
import { smallLayout } from '../support/small-layout.ts';

const layout = smallLayout({ size: '8MiB', swap: '4MiB' });

describe.skipIf(missing('disk', 'grub') !== undefined)('writeDiskImage', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-image-'));
  const path = join(folder, 'disk.img');
  let request: DiskImageRequest;
  let commit: CommitImage;

  beforeAll(async () => {
    const repository = await Repository.init(join(folder, 'repo'));
    mkdirSync(join(folder, 'root/boot'), { recursive: true });
    for (const [name, bytes] of Object.entries(wholeBootFolder('a'))) {
      writeFileSync(join(folder, 'root/boot', name), bytes);
    }
    const { tree } = await scanFolder(join(folder, 'root'));
    await commitTree(repository, tree, {
      ...{ ref: 'test', timestamp: 1_750_000_000, image: true },
      metadata: [['pine.boot-compat', { type: 'u', value: 1 }]],
    });
    commit = await findCommitImage(repository, 'test');
    request = {
      ...{ repository, commit, layout, size: 110 << 20, diskUuid: undefined },
      deployment: {
        ...{ id: 'first.0', slot: 'a', commit: commit.commit },
        kernelArguments: 'console=ttyS0',
      },
    };
    await writeDiskImage(path, request);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes the same bytes each time, and leaves nothing else behind', async () => {
    // Inode change times are whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const again = join(folder, 'again.img');
    await writeDiskImage(again, request);
    expect(await sha256(again)).toBe(await sha256(path));
    expect(readdirSync(folder).sort()).toEqual(['again.img', 'disk.img', 'repo', 'root']);
  });

  it('holds the commit in slot a, confirmed, and a trailer that says so', async () => {
    const result = await writeDiskImage(path, request);
    const part = (role: string) => result.partitions.find((partition) => partition.role === role);
    const slot = await nodeBlockDevice(path, part('root-a')).open('read');
    const trailer = decodeTrailer(await slot.read(slot.size - trailerSize, trailerSize));
    expect(trailer?.imageSize).toBe(commit.image.size);
    expect(
      createHash('sha256')
        .update(trailer?.commit ?? '')
        .digest('hex'),
    ).toBe(commit.commit);
    const image = await slot.read(0, commit.image.size);
    expect(createHash('sha256').update(image).digest('hex')).toBe(commit.image.sha256);
    await slot.close();

    const grub = new GrubBootLoader(nodeBlockDevice(path, part('boot')));
    expect(await grub.readChoice()).toEqual({ order: [1] });
    expect(await grub.readDeployment(1)).toEqual(request.deployment);
    for (const role of ['boot', 'data']) {
      const place = `${path}?offset=${part(role)?.start}`;
      expect(await runProgram('e2fsck', ['-fn', place])).not.toMatch(/Fix|WARNING/);
      const listing = await runProgram('debugfs', ['-R', 'ls -l /', place]);
      expect(listing).toMatch(role === 'data' ? /0 +0 +4096 .* pine\n/ : /0 +0 +4096 .* grub\n/);
    }
    const swap = await nodeBlockDevice(path, part('swap')).open('read');
    expect((await swap.read(4086, 10)).toString()).toBe('SWAPSPACE2');
    await swap.close();
  });

  for (const firmware of ['bios', 'uefi'] as const) {
    const lacking = missing(
      ...(firmware === 'uefi' ? (['qemu', 'ovmf'] as const) : (['qemu'] as const)),
    );
    it.skipIf(lacking !== undefined)(
      `boots with ${firmware} into the slot that pine wrote`,
      async () => {
        const { console, end } = await runQemu({ disk: path, firmware });
        expect(console).toContain('@ choice=order\n@ slot=a\n@ id=first.0\n@ block=1\n');
        expect(console).toContain('@ args=console=ttyS0\n');
        expect(end).toBe('exit');
      },
    );
  }

  it('S10: says by how much a slot, a disk or the space for it is too small, and writes nothing', async () => {
    const other = join(folder, 'other.img');
    const large: CommitImage = { ...commit, image: { ...commit.image, size: 9 << 20 } };
    await expect(writeDiskImage(other, { ...request, commit: large })).rejects.toMatchObject({
      code: 'SPACE_SLOT',
      details: { found: expect.stringMatching(/^9437184 bytes: \d+ too many$/) },
    });
    await expect(writeDiskImage(other, { ...request, size: 64 << 20 })).rejects.toMatchObject({
      code: 'SPACE_DISK',
    });
    expect(readdirSync(folder)).not.toContain('other.img');
  });

  it('refuses what can not boot, and an output that is no file', async () => {
    const bare: CommitImage = { ...commit, bootCompatibility: undefined };
    await expect(writeDiskImage(path, { ...request, commit: bare })).rejects.toMatchObject({
      code: 'INPUT_NOT_BOOTABLE',
    });
    await expect(writeDiskImage(folder, request)).rejects.toMatchObject({
      code: 'INPUT_OUTPUT_FILE',
    });
  });

  it('leaves the file that was there when anything fails', async () => {
    const before = await sha256(path);
    const deployment = { ...request.deployment, kernelArguments: '"' };
    await expect(writeDiskImage(path, { ...request, deployment })).rejects.toMatchObject({
      code: 'INPUT_KERNEL_ARGUMENTS',
    });
    const promised = { ...commit.image, sha256: '0'.repeat(64) };
    await expect(
      writeDiskImage(path, { ...request, commit: { ...commit, image: promised } }),
    ).rejects.toMatchObject({ code: 'CORRUPT_IMAGE' });
    expect(await sha256(path)).toBe(before);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('names the package of a program that is missing, and says what a failing one said', async () => {
    await expect(runProgram('no-such-program', [])).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
    });
    await expect(runProgram('mkfs.ext4', ['/nowhere/at/all', '1M'])).rejects.toMatchObject({
      code: 'PROGRAM_FAILED',
      details: { found: expect.stringContaining('No such file') },
    });
  });

  it('has the sectors of GRUB where its own first sector looks for them', async () => {
    const file = await open(path, 'r');
    const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
    expect(buffer.readBigUInt64LE(0x5c)).toBe(2048n);
    expect(buffer.readUInt16LE(510)).toBe(0xaa55);
    await file.close();
  });
});

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
