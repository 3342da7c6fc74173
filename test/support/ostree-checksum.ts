import { createHash, type Hash } from 'node:crypto';
import type { Metadata } from '../../src/repo/tree.ts';

/**
 * The checksum of an OSTree file object, made here from the format's description and not by the
 * code under test: `(uuuusa(ayay))`, then the content.
 */
export function startFileChecksum(metadata: Metadata, target = ''): Hash {
  const numbers = Buffer.alloc(16);
  numbers.writeUInt32BE(metadata.uid, 0);
  numbers.writeUInt32BE(metadata.gid, 4);
  numbers.writeUInt32BE(metadata.mode, 8);
  const fixed = Buffer.concat([numbers, Buffer.from(`${target}\0`)]);
  const pairs = metadata.xattrs.map(({ name, value }) => {
    const key = Buffer.from(`${name}\0`);
    return withOffsets([key, Buffer.from(value)], [key.length]);
  });
  const ends: number[] = [];
  for (const pair of pairs) ends.push((ends.at(-1) ?? 0) + pair.length);
  const xattrs = withOffsets(pairs, ends);
  const header = withOffsets([fixed, xattrs], [fixed.length]);
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(header.length, 0);
  return createHash('sha256').update(prefix).update(header);
}

/** A GVariant container: its children, then its framing offsets, as narrow as they can be. */
function withOffsets(children: Buffer[], offsets: number[]): Buffer {
  const body = Buffer.concat(children);
  if (offsets.length === 0) return body;
  const width =
    [1, 2, 4].find((size) => body.length + size * offsets.length < 2 ** (8 * size)) ?? 8;
  const framing = Buffer.alloc(width * offsets.length);
  offsets.forEach((offset, index) => {
    framing.writeUIntLE(offset, index * width, width);
  });
  return Buffer.concat([body, framing]);
}
