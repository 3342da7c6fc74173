import type { BitOutput } from './bit-output.ts';
import type { BlockSymbols } from './block-symbols.ts';
import { CodeBuilder } from './code-builder.ts';
import {
  blockKind,
  distanceBase,
  distanceCode,
  distanceCodes,
  distanceExtra,
  endOfBlock,
  fixedDistanceBits,
  fixedLiteralBits,
  lengthBase,
  lengthCode,
  lengthExtra,
  lengthOrder,
  literalCodes,
} from './deflate-format.ts';
import { HuffmanCode } from './huffman-code.ts';
import { type LengthStep, lengthSteps } from './length-steps.ts';

const longest = 15;
const longestOfLengths = 7;
/** A block's kind, and whether it is the last. */
const headBits = 3;
/** The counts before the codes of a block. */
const countBits = 5 + 5 + 4;
const leastLengthCodes = 4;
/** The length of what is stored, twice. */
const storedHead = 4;
/** How many symbols are written between two looks at the output. */
const symbolsAtOnce = 1024;

/** Bits behind the codes of repeated lengths. */
const repeatExtra = Uint8Array.of(2, 3, 7);
const fixedLiterals = HuffmanCode.of(fixedLiteralBits);
const fixedDistances = HuffmanCode.of(fixedDistanceBits);

/** Writes blocks in whichever of the three ways is shortest. */
export class BlockOutput {
  readonly #output: BitOutput;
  readonly #literals = new CodeBuilder({
    size: literalCodes,
    longest,
    extra: lengthExtra,
    extraFrom: endOfBlock + 1,
    fixedBits: fixedLiteralBits,
  });
  readonly #distances = new CodeBuilder({
    size: distanceCodes,
    longest,
    extra: distanceExtra,
    extraFrom: 0,
    fixedBits: fixedDistanceBits,
  });
  readonly #lengths = new CodeBuilder({
    size: lengthOrder.length,
    longest: longestOfLengths,
    extra: repeatExtra,
    extraFrom: 16,
  });

  constructor(output: BitOutput) {
    this.#output = output;
  }

  /** Writes a block of `size` bytes; `stored` are these, if they are still there. Yields when the output is full. */
  *write(
    symbols: BlockSymbols,
    size: number,
    stored: Uint8Array | undefined,
    isLast: boolean,
  ): Generator<void> {
    const literals = this.#literals.build(symbols.literalUses);
    const distances = this.#distances.build(symbols.distanceUses);
    const steps = [
      ...lengthSteps(literals.bits, literals.last),
      ...lengthSteps(distances.bits, distances.last),
    ];
    const lengths = this.#lengths.build(usesOf(steps));
    const lengthCount = countLengths(lengths);
    const ownSize =
      literals.size + distances.size + lengths.size + 3 * lengthCount + countBits + headBits;
    const fixedBytes = Math.ceil((literals.fixedSize + distances.fixedSize + headBits) / 8);
    const bytes = Math.min(Math.ceil(ownSize / 8), fixedBytes);
    if (stored !== undefined && size + storedHead <= bytes) {
      this.#putHead(blockKind.stored, isLast);
      this.#putStored(stored);
    } else if (fixedBytes === bytes) {
      this.#putHead(blockKind.fixed, isLast);
      yield* this.#putSymbols(symbols, fixedLiterals, fixedDistances);
    } else {
      this.#putHead(blockKind.dynamic, isLast);
      this.#output.put(literals.last - endOfBlock, 5);
      this.#output.put(distances.last, 5);
      this.#output.put(lengthCount - leastLengthCodes, 4);
      for (const code of lengthOrder.slice(0, lengthCount)) {
        this.#output.put(lengths.bits[code] ?? 0, 3);
      }
      for (const { code, value, bits } of steps) {
        this.#putCode(lengths, code);
        this.#output.put(value, bits);
      }
      yield* this.#putSymbols(symbols, literals, distances);
    }
    if (isLast) this.#output.align();
    if (this.#output.isFull) yield;
  }

  #putHead(kind: number, isLast: boolean): void {
    this.#output.put(2 * kind + (isLast ? 1 : 0), headBits);
  }

  #putStored(bytes: Uint8Array): void {
    this.#output.align();
    this.#output.put(bytes.length & 0xffff, 16);
    this.#output.put(~bytes.length & 0xffff, 16);
    this.#output.putBytes(bytes);
  }

  #putCode({ codes, bits }: HuffmanCode, symbol: number): void {
    this.#output.put(codes[symbol] ?? 0, bits[symbol] ?? 0);
  }

  *#putSymbols(
    symbols: BlockSymbols,
    literals: HuffmanCode,
    distances: HuffmanCode,
  ): Generator<void> {
    for (let at = 0; at < symbols.count; at += symbolsAtOnce) {
      const end = Math.min(at + symbolsAtOnce, symbols.count);
      this.#putSome(symbols, at, end, literals, distances);
      if (this.#output.isFull) yield;
    }
    this.#putCode(literals, endOfBlock);
  }

  #putSome(
    { values, distances: all }: BlockSymbols,
    from: number,
    to: number,
    literals: HuffmanCode,
    distances: HuffmanCode,
  ): void {
    const output = this.#output;
    for (let at = from; at < to; at++) {
      const value = values[at] ?? 0;
      const distance = (all[at] ?? 0) - 1;
      if (distance < 0) {
        output.put(literals.codes[value] ?? 0, literals.bits[value] ?? 0);
        continue;
      }
      const length = lengthCode[value] ?? 0;
      this.#putCode(literals, endOfBlock + 1 + length);
      output.put(value - (lengthBase[length] ?? 0), lengthExtra[length] ?? 0);
      const far = distanceCode[distance] ?? 0;
      this.#putCode(distances, far);
      output.put(distance - (distanceBase[far] ?? 0), distanceExtra[far] ?? 0);
    }
  }
}

function usesOf(steps: readonly LengthStep[]): Uint32Array {
  const uses = new Uint32Array(lengthOrder.length);
  for (const { code } of steps) uses[code] = (uses[code] ?? 0) + 1;
  return uses;
}

/** How many of the lengths of codes for lengths are told: those at the end of the order that are 0 are not. */
function countLengths({ bits }: HuffmanCode): number {
  let count = lengthOrder.length;
  while (count > leastLengthCodes && bits[lengthOrder[count - 1] ?? 0] === 0) count--;
  return count;
}
