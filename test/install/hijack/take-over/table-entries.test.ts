import { expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import { deriveUuid } from '../../../../src/disk/derive-uuid.ts';
import type { Partition } from '../../../../src/disk/gpt.ts';
import { parseLayout } from '../../../../src/disk/layout.ts';
import { planDisk } from '../../../../src/install/hijack/disk-plan.ts';
import { tableEntries } from '../../../../src/install/hijack/take-over/table-entries.ts';

const MiB = 1 << 20;
const diskSize = 4000 * MiB;
const diskUuid = '11111111-2222-4333-8444-555555555555';
const layout = parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg');
const esp = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const swap = '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f';
const linux = '0fc63daf-8483-4772-8e79-3d69d8477de4';

/** Numbers and names of the new table, for a disk with these partitions, of which the first is the root. */
function entries(kind: 'gpt' | 'mbr', partitions: readonly Partition[], adopted?: number) {
  const table = { kind, partitions, grubInFirstSector: true };
  const root = partitions[0]?.number ?? 0;
  const place = { diskSize, table, root, least: 500 * MiB, payload: 0, layout };
  const outcome = planDisk({ ...place, esp: adopted });
  if (outcome.kind !== 'fits') throw new Error(outcome.kind);
  const oldTable = kind === 'mbr' ? undefined : partitions;
  const made = tableEntries(outcome.plan, root, oldTable, diskUuid);
  return { made, names: made.map(({ number, name }) => `${number} ${name}`), plan: outcome.plan };
}
const part = (number: number, type: string, start: number, size: number): Partition => ({
  ...{ number, name: '', type, start: start * MiB, size: size * MiB },
  uuid: `7d1f1f7e-2f0c-4f7e-8a55-00000000000${number}`,
});

test('over an MBR: the old root under its number, then what is of pine', () => {
  const { made, names, plan } = entries('mbr', [part(1, '0x83', 1, 3900)]);
  expect(names).toEqual([
    ...['1 previous', '2 bios-grub', '3 esp', '4 boot', '5 root-a', '6 root-b', '7 swap', '8 data'],
  ]);
  expect(made[0]).toMatchObject({
    ...{ start: MiB, size: plan.shrunk.size, type: linux.toUpperCase() },
    uuid: deriveUuid(diskUuid, 'previous'),
  });
});

test('over a GPT: what stays keeps its GUID, swap behind the root goes, and the ESP is adopted by its name', () => {
  const root = part(1, linux, 128, 3000);
  const others = [part(15, esp, 4, 124), part(5, swap, 3200, 700)];
  const { made, names } = entries('gpt', [root, ...others], 15);
  expect(names.slice(0, 3)).toEqual(['1 previous', '15 esp', '2 boot']);
  expect(names.filter((name) => name.startsWith('5 '))).toEqual(['5 swap']); // one of pine's
  expect(made.slice(0, 2)).toMatchObject([
    { uuid: root.uuid, type: linux },
    { uuid: others[0]?.uuid, type: esp },
  ]);
  const unadopted = entries('gpt', [root, ...others]).names;
  expect(unadopted).toContain('15 previous-15');
});
