import type { PositionedReader } from '../ports/positioned-reader.ts';
import {
  corruptPlan,
  indexEntrySize,
  indexPrefixSize,
  type PlanShape,
  planParts,
  recordKind,
  recordSize,
} from './plan-format.ts';
import { decodeRecord } from './record.ts';

/** Guesses before a search falls back to halving, which no plan can make slow. */
const guesses = 6;

interface Entry {
  /** The first bytes of the checksum, as a big-endian number: the order of the index. */
  readonly prefix: number;
  readonly record: number;
}

/** The index of a plan file: its objects, in the order of their checksums. */
export class PlanIndex {
  readonly #reader: PositionedReader;
  readonly #shape: PlanShape;
  readonly #start: number;

  /** `reader` should cache: a search reads near places again and again. */
  constructor(reader: PositionedReader, shape: PlanShape) {
    this.#reader = reader;
    this.#shape = shape;
    this.#start = planParts(shape).index;
  }

  async find(checksum: string): Promise<{ offset: number; length: number } | undefined> {
    if (!/^[0-9a-f]{64}$/.test(checksum)) return undefined;
    const wanted = Number.parseInt(checksum.slice(0, 2 * indexPrefixSize), 16);
    let low = 0;
    let high = this.#shape.objects;
    let lowest = 0;
    let highest = 2 ** (8 * indexPrefixSize);
    for (let step = 0; low < high; step++) {
      // Checksums are spread evenly, so the right place is nearly known.
      const share = step < guesses ? (wanted - lowest) / (highest - lowest) : 0.5;
      const middle = Math.min(high - 1, low + Math.floor(share * (high - low)));
      const entry = await this.#entry(middle);
      const object = entry.prefix === wanted ? await this.#object(entry) : undefined;
      if (object?.checksum === checksum) return { offset: object.offset, length: object.length };
      const isBefore = object === undefined ? entry.prefix < wanted : object.checksum < checksum;
      if (isBefore) {
        low = middle + 1;
        lowest = Math.min(entry.prefix, wanted);
      } else {
        high = middle;
        highest = Math.max(entry.prefix, wanted) + 1;
      }
    }
    return undefined;
  }

  /** Sees that the index has each object once, in order, with the right record. */
  async check(): Promise<void> {
    let last = '';
    for (let number = 0; number < this.#shape.objects; number++) {
      const entry = await this.#entry(number);
      const { checksum } = await this.#object(entry);
      if (checksum <= last) throw corruptPlan(`a checksum above ${last}`, checksum, where(number));
      last = checksum;
    }
  }

  async #entry(number: number): Promise<Entry> {
    const bytes = await this.#reader.read(this.#start + indexEntrySize * number, indexEntrySize);
    const entry = { prefix: bytes.readUInt32BE(0), record: bytes.readUInt32LE(indexPrefixSize) };
    const { segments } = this.#shape;
    if (entry.record < segments) return entry;
    throw corruptPlan(`a segment below ${segments}`, `${entry.record}`, where(number));
  }

  async #object({ prefix, record }: Entry) {
    const bytes = await this.#reader.read(recordSize * (1 + record), recordSize);
    const segment = decodeRecord(bytes, `segment ${record}`);
    const { imageSize } = this.#shape;
    const isObject = segment.kind === recordKind.object;
    if (!isObject || Number.parseInt(segment.checksum.slice(0, 8), 16) !== prefix) {
      throw corruptPlan(
        `an object ${prefix.toString(16)}…`,
        'another segment',
        `segment ${record}`,
      );
    }
    const { position: offset, length, checksum } = segment;
    if (offset + length > imageSize) {
      throw corruptPlan(`an image of ${imageSize} bytes`, `${length} at ${offset}`, where(record));
    }
    return { offset, length, checksum };
  }
}

function where(entry: number): string {
  return `entry ${entry} of the plan's index`;
}
