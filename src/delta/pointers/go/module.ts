import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Section } from '../elf/elf.ts';
import { smallNumber } from '../elf/numbers.ts';

/** A part of memory that numbers are relative to. */
export interface GoRange {
  readonly address: number;
  readonly size: number;
}

/** What is taken from the description of a Go program (runtime.moduledata), which its linker writes. */
export interface GoModule {
  readonly text: GoRange;
  readonly types: GoRange;
  /** Addresses: of what the collector and inlining need of functions, and of the buckets of functions. */
  readonly data: number;
  readonly buckets: number;
  /** The list of where types are described. */
  readonly links: GoRange | undefined;
}

/** Words that are looked at. */
const moduleWords = 48;
const readSize = 64 << 10;
/** Smaller numbers are no addresses. */
const leastAddress = 4096;

/**
 * Looks for the description in `sections`: it begins with the addresses of the table of functions and of the names in it.
 * `data` is the number of the word with the address of the data.
 */
export async function findModule(
  file: PositionedReader,
  sections: readonly Section[],
  { table, names, data }: { readonly table: number; readonly names: number; readonly data: number },
): Promise<GoModule | undefined> {
  const wanted = Buffer.alloc(16);
  wanted.writeBigUInt64LE(BigInt(table), 0);
  wanted.writeBigUInt64LE(BigInt(names), 8);
  const size = 8 * moduleWords;
  // A few more bytes than a piece, so that none lies on the border of two.
  const memory = Buffer.allocUnsafe(readSize + size);
  for (const section of sections) {
    for (let at = 0; at < section.size; at += readSize) {
      const length = Math.min(memory.length, section.size - at);
      const bytes = await file.read(section.offset + at, length, memory);
      const found = bytes.indexOf(wanted);
      if (found >= 0 && found + size <= bytes.length) {
        return readModule(bytes.subarray(found, found + size), data);
      }
    }
  }
  return undefined;
}

function readModule(bytes: Buffer, data: number): GoModule {
  const word = (index: number): number => smallNumber(bytes, 8 * index) ?? 0;
  const between = (from: number, to: number): GoRange => ({
    address: word(from),
    size: Math.max(0, word(to) - word(from)),
  });
  // A list has its size twice. Newer programs have one word more before this one.
  const links = [data + 4, data + 5].find(
    (index) => word(index) >= leastAddress && word(index + 1) === word(index + 2),
  );
  return {
    text: between(22, 23),
    types: between(data - 3, data - 2),
    data: word(data),
    buckets: word(19),
    links: links === undefined ? undefined : { address: word(links), size: 4 * word(links + 1) },
  };
}
