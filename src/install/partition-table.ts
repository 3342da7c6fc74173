import { deriveUuid } from '../disk/derive-uuid.ts';
import { readPartitions } from '../disk/gpt.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import type { PlacedPartition } from '../disk/place-layout.ts';
import { PineError } from '../error.ts';
import { runProgram } from './program.ts';

/** The sfdisk script that says everything: each start, size, type and uuid. */
export function sfdiskScript(partitions: readonly PlacedPartition[], diskUuid: string): string {
  const lines = partitions.map(
    ({ role, start, size, type, uuid }) =>
      `start=${start / 512}, size=${size / 512}, type=${type}, name="${role}", uuid=${uuid ?? deriveUuid(diskUuid, role)}`,
  );
  return ['label: gpt', `label-id: ${diskUuid}`, 'unit: sectors', '', ...lines, ''].join('\n');
}

/** Writes the partition table of a disk image and reads it back with our own reader. */
export async function writePartitionTable(
  path: string,
  partitions: readonly PlacedPartition[],
  diskUuid: string,
): Promise<void> {
  const input = sfdiskScript(partitions, diskUuid);
  await runProgram('sfdisk', ['-q', '--no-reread', '--no-tell-kernel', path], { input });
  const disk = await nodeBlockDevice(path).open('read');
  try {
    const found = await readPartitions(disk, path);
    const show = (list: readonly { start: number; size: number }[]) =>
      list.map(({ start, size }) => `${start}+${size}`).join(' ');
    if (show(found) !== show(partitions)) {
      throw new PineError('PROGRAM_UNEXPECTED', 'sfdisk placed the partitions elsewhere', {
        expected: show(partitions),
        found: show(found),
        where: path,
        remedy: 'report this, with the layout and the version of sfdisk',
      });
    }
  } finally {
    await disk.close();
  }
}
