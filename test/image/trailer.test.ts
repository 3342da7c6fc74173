import { describe, expect, test } from 'vitest';
import { veritySize, writableImageSize } from '../../src/image/slot.ts';
import { decodeTrailer, encodeTrailer, trailerRoom, trailerSize } from '../../src/image/trailer.ts';
import { codeOf } from '../support/code-of.ts';

const trailer = {
  imageSize: 123_456_789_012,
  commit: Buffer.from('the commit'),
  detachedMetadata: Buffer.from('signatures'),
};

describe('the trailer of a slot', () => {
  test('comes back as it was', () => {
    const bytes = encodeTrailer(trailer);
    expect(bytes).toHaveLength(trailerSize);
    expect(decodeTrailer(bytes)).toEqual(trailer);
    const bare = { imageSize: 0, commit: Buffer.alloc(0), detachedMetadata: Buffer.alloc(0) };
    expect(decodeTrailer(encodeTrailer(bare))).toEqual(bare);
  });

  test('takes a commit of the largest size, and refuses one more byte', () => {
    const full = { ...trailer, commit: Buffer.alloc(trailerRoom - 10, 1) };
    expect(decodeTrailer(encodeTrailer(full))).toEqual(full);
    const more = { ...trailer, commit: Buffer.alloc(trailerRoom - 9) };
    codeOf(() => encodeTrailer(more), 'INPUT_TRAILER_TOO_LARGE');
  });

  test('is missing in a slot that was never written', () => {
    expect(decodeTrailer(Buffer.alloc(trailerSize))).toBeUndefined();
    expect(decodeTrailer(Buffer.alloc(trailerSize, 0xff))).toBeUndefined();
  });

  test('any damage behind the magic is noticed', () => {
    for (let at = 8; at < trailerSize; at = at < 80 ? at + 1 : at + 611) {
      const bytes = encodeTrailer(trailer);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      codeOf(() => decodeTrailer(bytes), 'CORRUPT_TRAILER');
    }
    codeOf(() => decodeTrailer(Buffer.alloc(100)), 'CORRUPT_TRAILER');
  });
});

describe('the room in a slot', () => {
  test('a verity tree takes what veritysetup takes', () => {
    // Blocks of `veritysetup format --no-superblock --data-blocks=N`, and one for the superblock.
    const seen = { 1: 0, 128: 1, 129: 3, 16384: 129, 16385: 132 };
    for (const [data, hash] of Object.entries(seen)) {
      expect(veritySize(Number(data) * 4096)).toBe((hash + 1) * 4096);
    }
  });

  test('image, tree and trailer fill a slot, and one block more would not fit', () => {
    for (const slot of [1 << 20, 10_000_000, 512 << 20, (512 << 20) + 4096, 1 << 30, 2 ** 41]) {
      const size = writableImageSize(slot);
      expect(size % 4096).toBe(0);
      expect(size + veritySize(size) + trailerSize).toBeLessThanOrEqual(slot);
      expect(size + 4096 + veritySize(size + 4096) + trailerSize).toBeGreaterThan(slot);
    }
    expect(writableImageSize(0)).toBe(0);
    expect(writableImageSize(trailerSize + 4096)).toBe(0);
  });
});
