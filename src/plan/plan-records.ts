import { PineError } from '../error.ts';
import {
  indexEntrySize,
  indexPrefixSize,
  maxLength,
  maxSegments,
  type PlanShape,
  planMagic,
  planVersion,
  recordKind,
  recordSize,
} from './plan-format.ts';
import { maxLiteral, type Segment } from './segment.ts';

const checksumAt = 16;
const chunkRecords = 1365;

/** A segment of a full plan, without the bytes of a literal. */
export type PlanRecord =
  | { readonly kind: 'zeros' | 'literal'; readonly length: number }
  | { readonly kind: 'object'; readonly length: number; readonly checksum: string };

/**
 * Collects the records of a plan, 48 bytes of memory each, and encodes all of its file but the
 * literals, which follow behind.
 */
export class PlanRecords {
  #records = Buffer.alloc(64 * recordSize);
  readonly #objects: number[] = [];
  #count = 0;
  #imageSize = 0;
  #literalBytes = 0;

  get shape(): PlanShape {
    return {
      imageSize: this.#imageSize,
      segments: this.#count,
      objects: this.#objects.length,
      literalBytes: this.#literalBytes,
    };
  }

  add(record: PlanRecord): void {
    const { kind, length } = record;
    this.#check(record);
    const at = this.#grow();
    this.#records.writeUIntLE(this.#imageSize, at, 6);
    this.#records.writeUInt16LE(recordKind[kind], at + 6);
    this.#records.writeUIntLE(length, at + 8, 6);
    if (record.kind === 'object') {
      this.#records.write(record.checksum, at + checksumAt, 'hex');
      this.#objects.push(this.#count);
    }
    if (record.kind === 'literal') {
      this.#records.writeUIntLE(this.#literalBytes, at + checksumAt, 6);
      this.#literalBytes += length;
    }
    this.#imageSize += length;
    this.#count++;
  }

  /** Header, records and index, in pieces of at most 64 KiB. */
  *encode(): Iterable<Uint8Array> {
    yield this.#encodeHeader();
    yield* pieces(this.#records.subarray(0, this.#count * recordSize), chunkRecords * recordSize);
    yield* pieces(this.#encodeIndex(), 65536);
  }

  #check({ kind, length }: PlanRecord): void {
    const limit = kind === 'literal' ? maxLiteral : maxLength - this.#imageSize;
    if (Number.isInteger(length) && length > 0 && length <= limit && this.#count < maxSegments) {
      return;
    }
    throw new PineError('INPUT_TREE_TOO_LARGE', 'the image has more in it than a plan can say', {
      expected: `at most ${maxSegments} segments, and 1 to ${limit} bytes in this one`,
      found: `${length} bytes in segment ${this.#count}`,
      where: `byte ${this.#imageSize} of the image`,
      remedy: 'commit a smaller tree',
    });
  }

  /** Makes room for one record and tells where. */
  #grow(): number {
    const at = this.#count * recordSize;
    if (at === this.#records.length) {
      this.#records = Buffer.concat([this.#records, Buffer.alloc(this.#records.length)]);
    }
    return at;
  }

  #encodeHeader(): Buffer {
    const { imageSize, segments, objects, literalBytes } = this.shape;
    const header = Buffer.alloc(recordSize);
    planMagic.copy(header, 0);
    header.writeUInt32LE(planVersion, 8);
    header.writeUInt32LE(segments, 12);
    header.writeUInt32LE(objects, 16);
    header.writeUIntLE(imageSize, 24, 6);
    header.writeUIntLE(literalBytes, 32, 6);
    return header;
  }

  #encodeIndex(): Buffer {
    const records = this.#records;
    const at = (record: number): number => record * recordSize + checksumAt;
    // Hardly two begin with the same four bytes.
    const sorted = this.#objects.toSorted(
      (a, b) =>
        records.readUInt32BE(at(a)) - records.readUInt32BE(at(b)) ||
        records.compare(records, at(b), at(b) + 32, at(a), at(a) + 32),
    );
    const index = Buffer.alloc(sorted.length * indexEntrySize);
    sorted.forEach((record, entry) => {
      const place = entry * indexEntrySize;
      records.copy(index, place, at(record), at(record) + indexPrefixSize);
      index.writeUInt32LE(record, place + indexPrefixSize);
    });
    return index;
  }
}

/** The file of a full plan, in pieces of at most 64 KiB (docs/plan-format.md). */
export function* encodePlan(layout: {
  readonly segments: Iterable<Segment>;
}): Iterable<Uint8Array> {
  const records = new PlanRecords();
  for (const segment of layout.segments) {
    if (segment.kind === 'range') throw new TypeError('a full plan has no ranges');
    records.add(segment);
  }
  yield* records.encode();
  for (const segment of layout.segments) {
    if (segment.kind === 'literal') yield segment.bytes;
  }
}

function* pieces(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
