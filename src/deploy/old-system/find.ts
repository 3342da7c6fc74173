import { readExt4Identity } from '../../disk/ext4-identity.ts';
import { PineError } from '../../error.ts';
import type { BlockDevice } from '../../ports/block-device.ts';
import type { Machine } from '../machine.ts';

/** The label of the file system that a wiped partition gets. */
export const spareLabel = 'pine-spare';

/** What the partition `previous` holds. Its own bytes say so: no record can disagree with them. */
export type OldSystem =
  /** The old system's file system. */
  | { readonly kind: 'kept'; readonly size: number }
  /** It was wiped, and is an empty file system, or one in use (`wasMounted`). */
  | { readonly kind: 'spare'; readonly size: number; readonly wasMounted: boolean }
  /** No file system: a wipe has begun, or it is damaged. */
  | { readonly kind: 'blank'; readonly size: number };

/** The partition of the old system. Throws NOT_FOUND_OLD_SYSTEM on a machine that was not taken over. */
export function previousOf(machine: Machine): NonNullable<Machine['previous']> {
  if (machine.previous !== undefined) return machine.previous;
  throw new PineError('NOT_FOUND_OLD_SYSTEM', 'this machine has no old system', {
    expected: 'a partition named previous, as `pinectl hijack` leaves it',
    found: 'none',
    where: 'the disk that this machine was started from',
    remedy: 'nothing can be done: pine was installed here, or the partition was deleted',
  });
}

/** Looks what is in the partition. */
export async function findOldSystem(
  previous: NonNullable<Machine['previous']>,
): Promise<OldSystem> {
  const device = await previous.open('read');
  try {
    return await look(device);
  } finally {
    await device.close();
  }
}

async function look(device: BlockDevice): Promise<OldSystem> {
  const { size } = device;
  const found = await readExt4Identity(device);
  if (found === undefined) return { kind: 'blank', size };
  const { label, wasMounted } = found;
  return label === spareLabel ? { kind: 'spare', size, wasMounted } : { kind: 'kept', size };
}
