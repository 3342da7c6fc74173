import { PineError } from '../../../error.ts';
import { listOf, recordOf, textOf } from '../record.ts';

/** A block device and what lies on it, as `lsblk` tells it. Sizes are bytes. */
export interface BlockDeviceNode {
  readonly path: string;
  /** `disk`, `part`, `lvm`, `crypt`, `raid1`, `mpath` … */
  readonly type: string;
  readonly size: number;
  readonly fsType: string | undefined;
  /** `gpt`, `dos`, or nothing. */
  readonly tableType: string | undefined;
  readonly sectorSize: number;
  readonly mountPoint: string | undefined;
  readonly children: readonly BlockDeviceNode[];
}

/** The columns that `parseBlockDevices` reads. Only with NAME among them does `lsblk -J` nest what lies on what. */
export const blockDeviceColumns = 'NAME,PATH,TYPE,SIZE,FSTYPE,PTTYPE,LOG-SEC,MOUNTPOINT';

/** Parses what `lsblk -J -b` prints. Throws PROGRAM_UNEXPECTED. */
export function parseBlockDevices(json: string): BlockDeviceNode[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new PineError('PROGRAM_UNEXPECTED', '`lsblk` printed no JSON', {
      expected: 'an object, as util-linux prints it',
      found: JSON.stringify(json.slice(0, 80)),
      where: 'lsblk -J',
      remedy: 'install the package util-linux; the `lsblk` of busybox prints no JSON',
      cause,
    });
  }
  return listOf(recordOf(value).blockdevices).map(node);
}

function node(value: unknown): BlockDeviceNode {
  const record = recordOf(value);
  return {
    path: textOf(record.path) ?? '',
    type: textOf(record.type) ?? '',
    size: Number(record.size) || 0,
    fsType: textOf(record.fstype),
    tableType: textOf(record.pttype),
    sectorSize: Number(record['log-sec']) || 512,
    mountPoint: textOf(record.mountpoint),
    children: listOf(record.children).map(node),
  };
}

/**
 * The ways from a disk down to what is wanted, each with the disk first: one for a plain partition,
 * two for a mirror of two disks, none when it is nowhere.
 */
export function waysTo(
  nodes: readonly BlockDeviceNode[],
  wanted: (node: BlockDeviceNode) => boolean,
): BlockDeviceNode[][] {
  return nodes.flatMap((one) => [
    ...(wanted(one) ? [[one]] : []),
    ...waysTo(one.children, wanted).map((way) => [one, ...way]),
  ]);
}

/** A way in words: `lvm /dev/mapper/vg-root on crypt /dev/mapper/sda3_crypt on part /dev/sda3 on disk /dev/sda`. */
export function formatWay(way: readonly BlockDeviceNode[]): string {
  return way
    .toReversed()
    .map(({ type, path }) => `${type} ${path}`)
    .join(' on ');
}
