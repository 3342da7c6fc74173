import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveUuid } from '../../../src/disk/derive-uuid.ts';
import { encodeGpt, gptSize } from '../../../src/disk/encode-gpt.ts';
import { nodeBlockDevice } from '../../../src/disk/node-block-device.ts';
import type { PlacedPartition } from '../../../src/disk/place-layout.ts';
import { buildGrub, embedBiosGrub } from '../../../src/install/grub-images.ts';
import { runProgram } from '../../../src/install/program.ts';
import { diskUuid, TinyMachine } from './tiny-machine.ts';

const mebibyte = 1 << 20;
const oldUuid = '5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11';
const linuxType = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';
const size = 8 * mebibyte;
/** Behind all of pine's: for GRUB it makes no difference. */
const start = 85 * mebibyte;

/** Where the old system's partition lies on a disk that was taken over. Bytes. */
export const previousPlace = { start, size };

/** A machine that was taken over, with an old system whose grub.cfg only says that it was started. */
export function makeTakenOver(): Promise<TinyMachine> {
  return TinyMachine.make(async (path, partitions) => {
    const end = Math.max(...partitions.map((one) => one.start + one.size));
    if (end > start) throw new Error(`pine's partitions end at ${end}`);
    const folder = await mkdtemp(join(tmpdir(), 'pine-taken-over-'));
    try {
      await addPartition(path, partitions);
      await makeOldSystem(path, folder);
      const number = (role: string) => partitions.find((one) => one.role === role)?.number ?? 0;
      const image = await buildGrub(
        'i386-pc',
        {
          ...{ boot: number('boot'), slotA: number('root-a'), slotB: number('root-b') },
          previous: {
            ...{ partition: partitions.length + 1, table: 'mbr' },
            ...{ installer: '/boot/pine-hijack', installerArguments: '' },
          },
        },
        folder,
      );
      const disk = await nodeBlockDevice(path).open('write');
      const grub = partitions.find(({ role }) => role === 'bios-grub');
      await embedBiosGrub(disk, image, grub ?? { start: 0, size: 0 }).finally(() => disk.close());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

async function addPartition(path: string, partitions: readonly PlacedPartition[]): Promise<void> {
  const diskSize = start + size + mebibyte;
  await truncate(path, diskSize);
  const table = encodeGpt(diskSize, diskUuid, [
    ...partitions.map((one) => ({ ...one, name: one.role, uuid: deriveUuid(diskUuid, one.role) })),
    {
      ...{ number: partitions.length + 1, name: 'previous', type: linuxType, start, size },
      uuid: deriveUuid(diskUuid, 'previous'),
    },
  ]);
  const disk = await nodeBlockDevice(path).open('write');
  try {
    await disk.write(446, table.protective);
    await disk.write(512, table.primary);
    await disk.write(diskSize - gptSize, table.backup);
  } finally {
    await disk.close();
  }
}

async function makeOldSystem(path: string, folder: string): Promise<void> {
  const tree = join(folder, 'old');
  await mkdir(join(tree, 'boot/grub'), { recursive: true });
  await writeFile(
    join(tree, 'boot/grub/grub.cfg'),
    // As Debian's: the root by a name that is another behind a GPT, and then by its UUID.
    `set root='hd0,msdos1'\nsearch --no-floppy --fs-uuid --set=root ${oldUuid}
if [ -f /boot/grub/grub.cfg ]; then echo "@ choice=previous"; fi\nreboot\n`,
  );
  await runProgram('mkfs.ext4', [
    ...['-q', '-F', '-U', oldUuid, '-b', '4096', '-d', tree],
    ...['-E', `offset=${start}`, path, `${size / 1024}k`],
  ]);
}
