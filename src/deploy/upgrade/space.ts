import { PineError } from '../../error.ts';
import { writableImageSize } from '../../image/slot.ts';
import type { AcceptedCommit } from '../../trust/policy.ts';
import type { Machine } from '../machine.ts';
import { measureFolder } from '../measure-folder.ts';
import type { SlotContents } from '../slot-contents.ts';
import type { Target } from '../target.ts';

/** For state.json, writing.json, the attempts log and the file system's own needs, in bytes. */
const reserve = 1024 * 1024;

/**
 * S10: before anything is written, there is room for all of it. Tells how many bytes of the data partition
 * the upgrade needs, deltas not counted. Throws SPACE_SLOT or SPACE_DATA.
 */
export async function checkSpace(
  machine: Machine,
  target: Target,
  accepted: AcceptedCommit,
  running: SlotContents,
): Promise<number> {
  const device = await target.opener.open('read');
  const room = writableImageSize(device.size);
  await device.close();
  if (accepted.image.size > room) {
    throw new PineError('SPACE_SLOT', 'the image does not fit into the slot', {
      expected: `at most ${room} bytes`,
      found: `${accepted.image.size} bytes, ${accepted.image.size - room} too many`,
      where: target.opener.name,
      remedy: 'commit a smaller tree, or install again with larger slots',
    });
  }
  const { files, etc } = machine;
  const plans = accepted.plan.size + (running.plan?.size ?? 0);
  const bytes =
    (await measureFolder(files, etc)) + (await measureShipped(machine, running)) + plans;
  return checkDataSpace(machine, bytes, 'a merged /etc and two plans');
}

/** Bytes of what the release that runs ships under /etc: about what the new one may lay beside it. */
async function measureShipped(machine: Machine, running: SlotContents): Promise<number> {
  const { imageTree } = await import('../../etc/trees/image-tree.ts');
  const device = await machine.slots[machine.running.slot].open('read');
  try {
    let bytes = 0;
    for await (const entry of (await imageTree(device, running.image.size)).walk('')) {
      bytes += entry.kind === 'file' ? Math.ceil((entry.size + 1) / 4096) * 4096 : 4096;
    }
    return bytes;
  } catch (error) {
    if (error instanceof PineError) return 0; // damaged: the merge does without it too
    throw error;
  } finally {
    await device.close();
  }
}

/** S10: the data partition has room for so many bytes, and some more. Tells how many in all. Throws SPACE_DATA. */
export async function checkDataSpace(
  { files, data }: Pick<Machine, 'files' | 'data'>,
  bytes: number,
  what: string,
): Promise<number> {
  const needed = bytes + reserve;
  const free = await files.freeBytes(data);
  if (free >= needed) return needed;
  throw new PineError('SPACE_DATA', 'the data partition is too full', {
    expected: `${needed} free bytes, for ${what}`,
    found: `${free} bytes`,
    where: data,
    remedy: 'free some space there and run the command again',
  });
}

/** There is room for the upgrade, but not for what would have saved bytes on the wire. */
export function noRoomFor(what: string, needed: number, free: number, where: string): PineError {
  return new PineError('SPACE_DATA', `the data partition has no room for ${what}`, {
    expected: `${needed} free bytes`,
    found: `${free} bytes`,
    where,
    remedy: 'free some space there to fetch less next time',
  });
}
