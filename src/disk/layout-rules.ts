import type { Layout, LayoutPartition, Role } from './layout.ts';
import { layoutError } from './layout-line.ts';

const mebibyte = 1 << 20;

/** The least that each partition must hold, in bytes, and for what. */
const least: Readonly<Record<Role, readonly [bytes: number, what: string]>> = {
  'bios-grub': [mebibyte, 'GRUB for BIOS, twice'],
  esp: [4 * mebibyte, 'GRUB for UEFI, twice'],
  boot: [4 * mebibyte, 'the blocks of kernel arguments and the rescue copies'],
  'root-a': [4 * mebibyte, 'an image and its trailer'],
  'root-b': [4 * mebibyte, 'an image and its trailer'],
  swap: [mebibyte, 'anything'],
  data: [64 * mebibyte, '/var, /home and the state of pine'],
};

/** Types that firmware and tools go by. Any other partition may have whatever type it likes. */
const types: Partial<Readonly<Record<Role, string>>> = {
  'bios-grub': '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  swap: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
};

/** The least size of a data partition that takes the rest of the disk, in bytes. */
export const leastData: number = least.data[0];

interface Parsed {
  readonly name: string;
  readonly labelled: boolean;
  readonly diskUuid: string | undefined;
  readonly partitions: readonly LayoutPartition[];
}

/** Checks what can only be said about a layout as a whole. Throws INPUT_LAYOUT. */
export function checkLayout({ name, labelled, diskUuid, partitions }: Parsed): Layout {
  const first = { name, line: 1 };
  if (!labelled) throw layoutError(first, 'a line `label: gpt`', 'none');
  for (const [index, partition] of partitions.entries()) {
    checkAlone(name, partition);
    for (const other of partitions.slice(0, index)) checkPair(name, other, partition);
  }
  const last = { name, line: partitions.at(-1)?.line ?? 1 };
  const find = (role: Role) => {
    const found = partitions.find((partition) => partition.role === role);
    if (found === undefined) throw layoutError(last, `a partition "${role}"`, 'none up to here');
    return found;
  };
  if (!partitions.some(({ role }) => role === 'bios-grub' || role === 'esp')) {
    throw layoutError(last, 'a partition "bios-grub", "esp" or both', 'neither');
  }
  for (const role of ['boot', 'data'] as const) find(role);
  const [a, b] = [find('root-a'), find('root-b')];
  if (a.size !== b.size) {
    const line = Math.max(a.line, b.line);
    const found = `${a.size} and ${b.size} bytes`;
    throw layoutError({ name, line }, 'root-a and root-b of the same size', found);
  }
  return { name, diskUuid, partitions, slotSize: a.size ?? 0 };
}

function checkAlone(name: string, { role, start, size, type, line }: LayoutPartition): void {
  const where = { name, line };
  if (start < mebibyte) {
    throw layoutError(where, 'a start of 1 MiB or more, behind the partition table', `${start}`);
  }
  if (size === undefined && role !== 'data') {
    throw layoutError(where, `a size= for "${role}" (only data may take the rest)`, 'none');
  }
  const [bytes, what] = least[role];
  if (size !== undefined && size < bytes) {
    throw layoutError(where, `"${role}" with ${bytes} bytes or more, for ${what}`, `${size} bytes`);
  }
  const wanted = types[role];
  if (wanted !== undefined && wanted !== type) {
    throw layoutError(where, `"${role}" with type=${wanted}`, `type=${type}`);
  }
}

function checkPair(name: string, before: LayoutPartition, partition: LayoutPartition): void {
  const where = { name, line: partition.line };
  if (before.role === partition.role) {
    throw layoutError(where, `one "${before.role}"`, `a second one (line ${before.line})`);
  }
  if (before.uuid !== undefined && before.uuid === partition.uuid) {
    throw layoutError(where, 'a uuid of its own', `that of line ${before.line}`);
  }
  const end = ({ start, size }: LayoutPartition) => start + (size ?? Number.POSITIVE_INFINITY);
  if (partition.start < end(before) && before.start < end(partition)) {
    const found = `${partition.start} lies in "${before.role}" (line ${before.line})`;
    throw layoutError(where, 'partitions that do not overlap', found);
  }
}
