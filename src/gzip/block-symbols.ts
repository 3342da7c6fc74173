import {
  distanceCode,
  distanceCodes,
  distanceExtra,
  endOfBlock,
  leastMatch,
  lengthCode,
  literalCodes,
} from './deflate-format.ts';
import type { GzipProgram } from './effort.ts';

/** A block has fewer symbols; one of zlib fewer than half as many. */
const mostSymbols = 0x8000;
/** Each time there are so many more, gzip looks whether the block should end. */
const checkEvery = 0x1000;
/** About so many bits a distance takes, beside those that follow its code. */
const usualDistanceBits = 5;

/** What a block is made of, and how often each code is used. Memory: 96 KiB. */
export class BlockSymbols {
  /** Of each symbol: the byte, or the match's length less `leastMatch`; its distance, 0 for a byte. */
  readonly values = new Uint8Array(mostSymbols);
  readonly distances = new Uint16Array(mostSymbols);
  count = 0;
  readonly literalUses = new Uint32Array(literalCodes);
  readonly distanceUses = new Uint32Array(distanceCodes);
  #matches = 0;
  #program: GzipProgram = 'gzip';

  constructor() {
    this.clear();
  }

  /** Begins with new content. */
  enter(program: GzipProgram): void {
    this.#program = program;
    this.clear();
  }

  /** Begins with the next block. */
  clear(): void {
    this.count = 0;
    this.#matches = 0;
    this.literalUses.fill(0);
    this.distanceUses.fill(0);
    this.literalUses[endOfBlock] = 1;
  }

  addLiteral(byte: number): void {
    this.values[this.count] = byte;
    this.distances[this.count++] = 0;
    this.literalUses[byte] = (this.literalUses[byte] ?? 0) + 1;
  }

  addMatch(distance: number, length: number): void {
    const value = length - leastMatch;
    this.values[this.count] = value;
    this.distances[this.count++] = distance;
    this.#matches++;
    const code = endOfBlock + 1 + (lengthCode[value] ?? 0);
    this.literalUses[code] = (this.literalUses[code] ?? 0) + 1;
    const far = distanceCode[distance - 1] ?? 0;
    this.distanceUses[far] = (this.distanceUses[far] ?? 0) + 1;
  }

  /** Whether the program ends the block here, which has come `size` bytes far. */
  shouldEnd(size: number): boolean {
    if (this.#program === 'zlib') return this.count === mostSymbols / 2 - 1;
    if (this.count === mostSymbols - 1) return true;
    return this.count % checkEvery === 0 && this.#compressesWell(size);
  }

  /** Few matches that stand for much: a guess that what follows is of another kind. */
  #compressesWell(size: number): boolean {
    let bits = 8 * this.count;
    for (let code = 0; code < distanceCodes; code++) {
      const each = usualDistanceBits + (distanceExtra[code] ?? 0);
      bits += (this.distanceUses[code] ?? 0) * each;
    }
    const isShort = Math.floor(bits / 8) < Math.floor(size / 2);
    return isShort && this.#matches < Math.floor(this.count / 2);
  }
}
