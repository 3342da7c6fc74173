import type { Layout } from '../../disk/layout.ts';
import { PineError } from '../../error.ts';
import { writableImageSize } from '../../image/slot.ts';
import { type DiskOutcome, type DiskPlan, isSwap, planDisk } from './disk-plan.ts';
import type { BlockDeviceNode } from './storage/block-devices.ts';
import type { TablePartition } from './storage/partition-table.ts';
import type { HostFacts } from './survey.ts';

/** Kernel, initramfs, boot partition and the /etc that is carried over, beside the image. */
const otherPayload = 64 << 20;

/** A layout, and what a take-over by it comes to. Sizes are bytes. */
export interface Chosen {
  readonly layout: Layout;
  /** What is stored on the old system's disk meanwhile. */
  readonly payload: number;
  readonly disk: DiskPlan | undefined;
  readonly refusal: PineError | undefined;
}

/** The first layout that the image and the disk have room for; else the last, and why not. */
export function chooseLayout(
  facts: HostFacts,
  layouts: readonly Layout[],
  imageSize: number | undefined,
  fetched: boolean,
): Chosen {
  let last: Chosen | undefined;
  for (const layout of layouts) {
    const room = writableImageSize(layout.slotSize);
    // Without a commit: an image of the size from which on pine warns.
    const image = imageSize ?? Math.floor(room * 0.75);
    const payload = (fetched ? 0 : image) + otherPayload;
    if (image > room) {
      last ??= { layout, payload, disk: undefined, refusal: slotTooSmall(layout, image, room) };
      continue;
    }
    const outcome = planFor(facts, layout, payload);
    if (outcome === undefined) return { layout, payload, disk: undefined, refusal: undefined };
    if (outcome.kind === 'fits') {
      return { layout, payload, disk: outcome.plan, refusal: undefined };
    }
    const refusal =
      outcome.kind === 'foreign'
        ? foreignPartitions(facts, outcome.partitions)
        : diskTooSmall(facts, layout, outcome);
    last = { layout, payload, disk: undefined, refusal };
  }
  if (last === undefined) throw new RangeError('no layout to choose from');
  return last;
}

/** `undefined` where the disk can't be planned for a reason that is refused already. */
function planFor(facts: HostFacts, layout: Layout, payload: number): DiskOutcome | undefined {
  const { disk, table, rootNumber, ext4 } = facts.storage;
  if (disk === undefined || ext4 === undefined || rootNumber === undefined) return undefined;
  if (table === undefined || table instanceof PineError) return undefined;
  if (!table.partitions.some(({ number }) => number === rootNumber)) return undefined;
  const swap = table.partitions.filter(isSwap).map(({ number }) => number);
  const misnamed = new Set(swap.filter((number) => !holdsSwap(nodeOf(disk, number))));
  const isAdopted = facts.machine.firmware === 'uefi' && table.kind === 'gpt';
  const esp = isAdopted ? facts.bootLoader.esp?.number : undefined;
  const place = { diskSize: disk.size, table, root: rootNumber, esp };
  const request = { ...place, payload, layout, misnamed };
  return planDisk({ ...request, least: ext4.least });
}

/** What lsblk knows of a partition of the disk. */
function nodeOf(disk: BlockDeviceNode | undefined, number: number): BlockDeviceNode | undefined {
  return disk?.children.find(({ path }) => new RegExp(`\\D${number}$`).test(path));
}

/** Whether nothing but swap is on a partition, mounted or not. */
function holdsSwap(node: BlockDeviceNode | undefined): boolean {
  const { fsType = 'swap', mountPoint = '[SWAP]', children = [] } = node ?? {};
  return fsType === 'swap' && mountPoint === '[SWAP]' && children.length === 0;
}

function slotTooSmall(layout: Layout, image: number, room: number): PineError {
  return new PineError('SPACE_SLOT', 'the image does not fit into a slot', {
    expected: `at most ${room} bytes`,
    found: `${image} bytes: ${image - room} too many`,
    where: layout.name,
    remedy: 'give a layout with larger slots: --layout FILE',
  });
}

function foreignPartitions(facts: HostFacts, partitions: readonly TablePartition[]): PineError {
  const { disk } = facts.storage;
  const describe = ({ number }: TablePartition) => {
    const node = nodeOf(disk, number);
    const use = [node?.fsType ?? 'nothing known', node?.mountPoint && `on ${node.mountPoint}`];
    return `${node?.path ?? `partition ${number}`} (${use.filter(Boolean).join(' ')})`;
  };
  return new PineError(
    'INPUT_FOREIGN_PARTITION',
    'the disk has partitions that would be in the way',
    {
      expected: 'beside the root file system only swap, EFI system and BIOS boot partitions',
      found: partitions.map(describe).join(', '),
      where: disk?.path ?? 'the disk',
      remedy: 'copy what is on them elsewhere, and delete them',
    },
  );
}

function diskTooSmall(
  facts: HostFacts,
  layout: Layout,
  { needed, room }: { readonly needed: number; readonly room: number },
): PineError {
  const { disk, ext4 } = facts.storage;
  return new PineError('SPACE_HIJACK', 'the disk has no room for both systems', {
    expected: `${needed} bytes from the start of the root partition: ${ext4?.least} of Debian's own, what is fetched, and ${layout.name}`,
    found: `${room} bytes: ${Math.max(needed - room, 1)} too few`,
    where: disk?.path ?? 'the disk',
    remedy: 'remove what is not needed, take a layout with smaller slots, or order a larger disk',
  });
}
