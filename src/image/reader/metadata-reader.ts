import type { PositionedReader } from '../../ports/positioned-reader.ts';
import {
  metadataBlockSize,
  metadataUncompressed,
  storedMetadataBlockSize,
} from '../squashfs/format.ts';
import type { MetadataPosition } from '../squashfs/metadata-stream.ts';
import { corruptImage } from './corrupt-image.ts';

/** Blocks of one table that are kept in memory. */
const cachedBlocks = 16;

/** Takes the two parts of a 64-bit reference to a metadata record apart. */
export function decodeReference(reference: bigint): MetadataPosition {
  return { block: Number(reference >> 16n), offset: Number(reference & 0xffffn) };
}

/**
 * The payload of a metadata table that is stored from `start` to `end` of an image, read by
 * position as if it had no blocks. All its blocks but the last are full: only pine's own images are
 * read. A few blocks are cached (S9).
 */
export class MetadataReader {
  readonly size: number;
  readonly #reader: PositionedReader;
  readonly #start: number;
  readonly #name: string;
  /** A Map keeps the order of insertion: the first key is the block used longest ago. */
  readonly #cache = new Map<number, Buffer>();

  constructor(reader: PositionedReader, start: number, end: number, name: string) {
    const stored = end - start;
    const blocks = Math.ceil(stored / storedMetadataBlockSize);
    this.#reader = reader;
    this.#start = start;
    this.#name = name;
    this.size = stored - 2 * blocks;
    if (stored < 0 || stored % storedMetadataBlockSize === 1) {
      throw corruptImage('whole metadata blocks', `${stored} bytes`, name);
    }
  }

  /** Where in the payload a record is that a reference names. */
  positionOf({ block, offset }: MetadataPosition): number {
    const number = block / storedMetadataBlockSize;
    const position = number * metadataBlockSize + offset;
    if (!Number.isInteger(number) || offset >= metadataBlockSize || position >= this.size) {
      throw corruptImage('the position of a record', `${block}:${offset}`, this.#name);
    }
    return position;
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (length < 0 || position < 0 || position + length > this.size) {
      throw corruptImage(
        `at most ${this.size} bytes`,
        `a record of ${length} bytes at ${position}`,
        this.#name,
      );
    }
    const parts: Buffer[] = [];
    for (let at = position; at < position + length; ) {
      const number = Math.floor(at / metadataBlockSize);
      const from = at - number * metadataBlockSize;
      const block = await this.#block(number);
      const part = block.subarray(from, from + position + length - at);
      parts.push(part);
      at += part.length;
    }
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
  }

  async #block(number: number): Promise<Buffer> {
    const known = this.#cache.get(number);
    const block = known ?? (await this.#readBlock(number));
    this.#cache.delete(number);
    this.#cache.set(number, block);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > cachedBlocks && oldest !== undefined) this.#cache.delete(oldest);
    return block;
  }

  async #readBlock(number: number): Promise<Buffer> {
    const length = Math.min(metadataBlockSize, this.size - number * metadataBlockSize);
    const at = this.#start + number * storedMetadataBlockSize;
    const stored = await this.#reader.read(at, 2 + length);
    const header = stored.readUInt16LE(0);
    if (header !== (length | metadataUncompressed)) {
      throw corruptImage(
        `a stored block of ${length} bytes`,
        `header ${header.toString(16)}`,
        `${this.#name}, byte ${at} of the image`,
      );
    }
    return stored.subarray(2);
  }
}
