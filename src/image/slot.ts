import { trailerSize } from './trailer.ts';

const block = 4096;
/** SHA-256 digests in a block of a dm-verity tree. */
const digestsPerBlock = 128;

/**
 * Bytes that a dm-verity tree over an image takes: a superblock, and a level of hash blocks above
 * another until one digest is left (4 KiB blocks, SHA-256).
 */
export function veritySize(imageSize: number): number {
  let blocks = 1;
  let level = Math.ceil(imageSize / block);
  while (level > 1) {
    level = Math.ceil(level / digestsPerBlock);
    blocks += level;
  }
  return blocks * block;
}

/**
 * Bytes of the largest image that a slot of `slotSize` bytes takes, with room kept for its
 * dm-verity tree and its trailer. 0 when the slot is too small for any.
 */
export function writableImageSize(slotSize: number): number {
  const room = Math.floor((slotSize - trailerSize) / block) * block;
  // The tree over all of the room is at least as large as what is needed: begin there, then grow.
  let size = Math.max(0, room - veritySize(Math.max(0, room)));
  while (size + block + veritySize(size + block) <= room) size += block;
  return size;
}
