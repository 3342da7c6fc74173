import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** A partition of a disk image: where it begins and how long it is, in bytes. */
export interface Place {
  readonly start: number;
  readonly size: number;
}

/** Finds a partition of a disk image by its name. */
export function partition(disk: string, name: string): Place {
  const { partitiontable } = JSON.parse(execFileSync('/usr/sbin/sfdisk', ['-J', disk]).toString());
  const found = partitiontable.partitions.find((each: { name: string }) => each.name === name);
  if (found === undefined) throw new Error(`${disk} has no partition ${name}`);
  return { start: found.start * 512, size: found.size * 512 };
}

export function readBytes(disk: string, { start, size }: Place): Buffer {
  const bytes = Buffer.alloc(size);
  const file = openSync(disk, 'r');
  try {
    if (readSync(file, bytes, 0, size, start) !== size) throw new Error(`${disk} is too short`);
  } finally {
    closeSync(file);
  }
  return bytes;
}

export function writeBytes(disk: string, start: number, bytes: Uint8Array): void {
  const file = openSync(disk, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, start);
  } finally {
    closeSync(file);
  }
}

/** Where grubenv's 512 bytes lie on a disk image. */
export function grubenv(disk: string): Place {
  const boot = partition(disk, 'boot');
  const at = readBytes(disk, boot).indexOf('# GRUB Environment Block\npine_order=');
  if (at < 0) throw new Error(`${disk}: grubenv was not found`);
  return { start: boot.start + at, size: 512 };
}
