import { deriveUuid } from '../../../disk/derive-uuid.ts';
import type { GptEntry } from '../../../disk/encode-gpt.ts';
import type { Partition } from '../../../disk/gpt.ts';
import type { DiskPlan } from '../disk-plan.ts';

/** The GPT type of a Linux file system. */
const linuxType = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';

/**
 * The new table: the old root, shrunk and under its old number, what the old system boots with, and pine's
 * partitions. Out of a GPT each that stays keeps its GUID.
 */
export function tableEntries(
  disk: DiskPlan,
  rootNumber: number,
  oldTable: readonly Partition[] | undefined,
  diskUuid: string,
): GptEntry[] {
  const { start, size } = disk.shrunk;
  const own = new Set(disk.partitions.map(({ number }) => number));
  const removed = new Set(disk.removed.map(({ number }) => number));
  const root = oldTable?.find(({ number }) => number === rootNumber);
  const kept = (oldTable ?? []).filter(
    ({ number }) => number !== rootNumber && !removed.has(number) && !own.has(number),
  );
  return [
    {
      ...{ number: rootNumber, name: 'previous', type: root?.type ?? linuxType, start },
      size: Math.floor(size / 512) * 512,
      uuid: root?.uuid ?? deriveUuid(diskUuid, 'previous'),
    },
    // pine looks its own up by their names
    ...kept.map((one) => ({
      ...one,
      name: one.number === disk.esp ? 'esp' : `previous-${one.number}`,
    })),
    ...disk.partitions.map((one) => ({
      ...{ number: one.number, name: one.role, type: one.type, start: one.start, size: one.size },
      uuid: deriveUuid(diskUuid, one.role),
    })),
  ];
}
