import { maxLiteral, type Segment } from '../plan/segment.ts';
import type { PlacedObject } from './object-placement.ts';

/**
 * The segments of an image: superblock, objects, tables, padding. The tables are cut into literals
 * of 64 KiB, the last one shorter.
 */
export function* imageSegments(parts: {
  readonly superblock: Buffer;
  readonly objects: Iterable<PlacedObject>;
  readonly tables: Buffer;
  readonly padding: number;
}): Iterable<Segment> {
  yield* literals(parts.superblock);
  for (const { checksum, length } of parts.objects) yield { kind: 'object', checksum, length };
  yield* literals(parts.tables);
  if (parts.padding > 0) yield { kind: 'zeros', length: parts.padding };
}

function* literals(bytes: Buffer): Iterable<Segment> {
  for (let from = 0; from < bytes.length; from += maxLiteral) {
    const piece = bytes.subarray(from, from + maxLiteral);
    yield { kind: 'literal', length: piece.length, bytes: piece };
  }
}
