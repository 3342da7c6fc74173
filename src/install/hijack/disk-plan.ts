import type { Layout } from '../../disk/layout.ts';
import { leastDiskSize, type PlacedPartition, placeLayout } from '../../disk/place-layout.ts';
import { isExtended, type PartitionTable, type TablePartition } from './storage/partition-table.ts';

const mebibyte = 1 << 20;
/** The backup of a GPT at the end of a disk. */
const backupSize = 33 * 512;
/** Types of partitions that hold nothing but swap. */
const swapTypes = ['0x82', '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f'];
/** Types of partitions that the firmware and GRUB need, and nobody else. */
const bootTypes = [
  '21686148-6449-6e6f-744e-656564454649', // BIOS boot
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', // EFI system
  '0xef',
];

/** What a disk is to be divided into, and what that needs. All sizes are bytes. */
export interface DiskRequest {
  readonly diskSize: number;
  readonly table: PartitionTable;
  /** The number of the partition with the root file system. */
  readonly root: number;
  /** What that file system can be shrunk to, its own files included. */
  readonly least: number;
  /** What lies in it besides for the take-over: the image, and what goes with it. */
  readonly payload: number;
  readonly layout: Layout;
  /** Numbers of partitions with something else on them than their types say. */
  readonly misnamed?: ReadonlySet<number>;
  /** The number of an EFI system partition that stays in use: the layout's own, and bios-grub, are left out. */
  readonly esp?: number | undefined;
}

/** Where everything goes: the old system shrunk in its place, and pine's partitions behind it. */
export interface DiskPlan {
  /** The root partition of the old system, as it will be. */
  readonly shrunk: { readonly start: number; readonly size: number };
  /** What goes: swap behind the root, whose place is used. */
  readonly removed: readonly TablePartition[];
  /** pine's own, with numbers that no kept partition has. */
  readonly partitions: readonly PlacedPartition[];
  /** The old system's EFI system partition, which becomes pine's. */
  readonly esp: number | undefined;
}

/** A disk that has no room says how much it lacks. */
export type DiskOutcome =
  | { readonly kind: 'fits'; readonly plan: DiskPlan }
  | { readonly kind: 'foreign'; readonly partitions: readonly TablePartition[] }
  | { readonly kind: 'too-small'; readonly needed: number; readonly room: number };

/**
 * Computes the layout behind a shrunk file system. The shrunk one keeps a sixteenth of its least size,
 * and 64 MiB at least, as room to run in: resize2fs only estimates, and the old system is fallen back to.
 */
export function planDisk(request: DiskRequest): DiskOutcome {
  const { table, diskSize, esp } = request;
  const layout = esp === undefined ? request.layout : withoutLoaders(request.layout);
  const root = table.partitions.find(({ number }) => number === request.root);
  if (root === undefined) throw new RangeError(`the table has no partition ${request.root}`);
  const others = table.partitions.filter((one) => one !== root && !isExtended(one));
  const { misnamed = new Set<number>() } = request;
  const isForeign = (one: TablePartition) =>
    isSwap(one) ? misnamed.has(one.number) : !isForBooting(one);
  const foreign = others.filter(isForeign);
  if (foreign.length > 0) return { kind: 'foreign', partitions: foreign };

  const content = request.least + request.payload;
  const wanted = up(content + Math.max(content / 16, 64 * mebibyte), mebibyte);
  const size = Math.min(wanted, root.size); // a small one stays as it is
  const start = up(root.start + size, mebibyte);
  const kept = others.filter(isForBooting).filter((one) => one.start >= root.start + root.size);
  const lastByte = down(diskSize - backupSize, mebibyte);
  const end = Math.min(lastByte, ...kept.map((one) => down(one.start, mebibyte)));
  const needed = leastDiskSize(layout) - mebibyte;
  if (content > root.size || end - start < needed) {
    return { kind: 'too-small', needed: start - root.start + needed, room: end - root.start };
  }
  const removed = others.filter((one) => isSwap(one) && one.start >= root.start && one.start < end);
  const stays = table.partitions.filter((one) => !isExtended(one) && !removed.includes(one));
  const used = new Set(stays.map(({ number }) => number));
  const free = Array.from({ length: 128 }, (_, index) => index + 1).filter((one) => !used.has(one));
  // The layout begins at 1 MiB of a disk of its own, which here begins where the old system ends.
  const placed = placeLayout(layout, end - start + mebibyte + backupSize);
  const partitions = placed.map((one, index) => ({
    ...one,
    number: free[index] ?? 0,
    start: one.start - mebibyte + start,
  }));
  return {
    kind: 'fits',
    plan: { shrunk: { start: root.start, size }, removed, partitions, esp },
  };
}

/** The layout without the partitions that only GRUB is in. */
function withoutLoaders(layout: Layout): Layout {
  let next = mebibyte;
  const stays = layout.partitions.filter(({ role }) => role !== 'esp' && role !== 'bios-grub');
  const partitions = stays.map((one) => {
    const start = next;
    next = up(start + (one.size ?? 0), mebibyte);
    return { ...one, start };
  });
  return { ...layout, partitions };
}

export function isSwap({ type }: TablePartition): boolean {
  return swapTypes.includes(type);
}

function isForBooting({ type }: TablePartition): boolean {
  return bootTypes.includes(type);
}

function up(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function down(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}
