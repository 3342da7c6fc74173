import { leastMatch, longestDistance, openLength } from './block-format.ts';
import { InvalidLz4 } from './invalid-lz4.ts';

const pieceSize = 128 * 1024;
const history = longestDistance + 1;

/** What comes next in a block. */
const part = {
  token: 0,
  literalLength: 1,
  literals: 2,
  distance: 3,
  distanceEnd: 4,
  matchLength: 5,
  match: 6,
} as const;

/** Decompresses blocks that come in pieces. Memory: what a match may reach back to, and a piece of the output (S9). */
export class BlockDecoder {
  readonly #output = new Uint8Array(history + pieceSize);
  readonly #longest: number;
  /** Bytes of the block that are no longer in the output. */
  #moved = 0;
  #filled = 0;
  /** Up to where the output was given out. */
  #taken = 0;
  #part: number = part.token;
  #matchCode = 0;
  #length = 0;
  #distance = 0;

  /** No block may have more than `longest` bytes. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Begins with a new block, which knows nothing of the one before. */
  enter(): void {
    this.#moved = 0;
    this.#filled = 0;
    this.#taken = 0;
    this.#part = part.token;
  }

  /** What a block's next bytes decompress to, in pieces, each good until the next is asked for. Throws InvalidLz4. */
  *decode(input: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < input.length || this.#part === part.match; ) {
      at = this.#run(input, at);
      if (this.#filled < this.#output.length) continue;
      yield this.#take();
      this.#output.copyWithin(0, this.#filled - history);
      this.#moved += this.#filled - history;
      this.#filled = history;
      this.#taken = history;
    }
  }

  /** What is left of a block that ends here. Throws InvalidLz4. */
  finish(): Uint8Array {
    // The last sequence has literals only.
    if (this.#part !== part.distance) throw new InvalidLz4('a block that ends within a sequence');
    return this.#take();
  }

  #take(): Uint8Array {
    const made = this.#moved + this.#filled;
    if (made > this.#longest) throw new InvalidLz4(`a block of more than ${this.#longest} bytes`);
    const bytes = this.#output.subarray(this.#taken, this.#filled);
    this.#taken = this.#filled;
    return bytes;
  }

  /** Goes on from byte `from` of the input until that ends or the output is full, and says how far it came. */
  #run(input: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      if (this.#part === part.literals || this.#part === part.match) {
        if (this.#part === part.literals) at = this.#copyLiterals(input, at);
        else this.#copyMatch();
        if (this.#length > 0) return at;
        this.#part = this.#part === part.literals ? part.distance : part.token;
        continue;
      }
      const byte = input[at];
      if (byte === undefined) return at;
      at++;
      this.#header(byte);
    }
  }

  /** A byte that tells of literals or of a match. */
  #header(byte: number): void {
    switch (this.#part) {
      case part.token:
        this.#matchCode = byte & 15;
        this.#length = byte >> 4;
        this.#part = this.#length === openLength ? part.literalLength : part.literals;
        break;
      case part.literalLength:
        this.#lengthen(byte, part.literals);
        break;
      case part.distance:
        this.#distance = byte;
        this.#part = part.distanceEnd;
        break;
      case part.distanceEnd:
        this.#distance |= byte << 8;
        if (this.#distance === 0 || this.#distance > this.#moved + this.#filled) {
          throw new InvalidLz4('a match from before the block');
        }
        this.#length = this.#matchCode + leastMatch;
        this.#part = this.#matchCode === openLength ? part.matchLength : part.match;
        break;
      default:
        this.#lengthen(byte, part.match);
    }
  }

  #lengthen(byte: number, next: number): void {
    this.#length += byte;
    if (this.#length > this.#longest) throw new InvalidLz4('a length beyond the block');
    if (byte < 255) this.#part = next;
  }

  #copyLiterals(input: Uint8Array, at: number): number {
    const output = this.#output;
    const count = Math.min(this.#length, input.length - at, output.length - this.#filled);
    if (count > 32) {
      output.set(input.subarray(at, at + count), this.#filled);
    } else {
      for (let byte = 0; byte < count; byte++) output[this.#filled + byte] = input[at + byte] ?? 0;
    }
    this.#filled += count;
    this.#length -= count;
    return at + count;
  }

  #copyMatch(): void {
    const output = this.#output;
    const filled = this.#filled;
    const match = filled - this.#distance;
    const count = Math.min(this.#length, output.length - filled);
    if (count > 32 && this.#distance >= count) {
      output.copyWithin(filled, match, match + count);
    } else {
      // Byte by byte: a match may reach into what it makes.
      for (let byte = 0; byte < count; byte++) output[filled + byte] = output[match + byte] ?? 0;
    }
    this.#filled = filled + count;
    this.#length -= count;
  }
}
