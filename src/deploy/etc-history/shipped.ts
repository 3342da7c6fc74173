import { imageTree } from '../../etc/trees/image-tree.ts';
import type { EtcTree } from '../../etc/trees/tree.ts';
import type { BlockDeviceOpener } from '../../ports/block-device.ts';
import { readSlot, type SlotContents } from '../slot-contents.ts';

/**
 * Gives `use` what the release in a slot ships under /etc; `undefined` when the slot is empty. Throws CORRUPT_TRAILER,
 * CORRUPT_OBJECT and CORRUPT_IMAGE.
 */
export async function withShipped<T>(
  slot: BlockDeviceOpener,
  use: (tree: EtcTree, contents: SlotContents) => Promise<T>,
): Promise<T | undefined> {
  const contents = await readSlot(slot);
  if (contents === undefined) return undefined;
  const device = await slot.open('read');
  try {
    return await use(await imageTree(device, contents.image.size), contents);
  } finally {
    await device.close();
  }
}
