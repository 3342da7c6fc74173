import { isUtf8 } from 'node:buffer';
import { corruptGVariant } from './gvariant/codec.ts';
import { offsetWidth } from './gvariant/framing.ts';
import { checksumFromBytes } from './object-name.ts';
import { mostEntries, tooMuch } from './tree-limits.ts';

/** A range of bytes. */
interface Range {
  readonly start: number;
  readonly end: number;
}

const checksumLength = 32;
const type = '(a(say)a(sayay))';

/**
 * Reads a dirtree, `(a(say)a(sayay))`, in normal form: the same as `decode` of gvariant/codec.ts does with that type, but
 * in a single pass, entry by entry. That one makes a Buffer of every member and writes everything again to compare it:
 * 700 bytes for an entry, of which there may be a million in one folder (S9).
 *
 * `file` and `directory` get the name and the checksums of each. Throws CORRUPT_GVARIANT,
 * CORRUPT_OBJECT for a checksum that is none, CORRUPT_TREE for too many entries.
 */
export function readDirectoryTree(
  object: Buffer,
  where: string,
  take: {
    file(name: string, checksums: readonly string[]): void;
    directory(name: string, checksums: readonly string[]): void;
  },
): void {
  const reader = new Reader(object, where);
  const [files, directories] = reader.members({ start: 0, end: object.length }, 1);
  for (const entry of reader.elements(files)) take.file(...reader.entry(entry, 1));
  for (const entry of reader.elements(directories)) take.directory(...reader.entry(entry, 2));
}

class Reader {
  readonly #bytes: Buffer;
  readonly #where: string;

  constructor(bytes: Buffer, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  /** The members of a tuple, of which all but the last have an offset, in reverse. */
  members(tuple: Range, framed: number): [Range, Range, Range?] {
    const length = tuple.end - tuple.start;
    const width = offsetWidth(length);
    const bodyEnd = tuple.end - framed * width;
    this.#expectNormal(bodyEnd - tuple.start, framed, width);
    const ends = Array.from({ length: framed }, (_, index) =>
      this.#offset(tuple, tuple.end - (index + 1) * width, width),
    );
    let start = tuple.start;
    const found = [...ends, bodyEnd].map((end) => {
      if (end < start || end > bodyEnd) throw this.#wrong('a tuple with members outside of it');
      const member = { start, end };
      start = end;
      return member;
    });
    const [first, second, third] = found;
    if (first === undefined || second === undefined) throw new TypeError('two members at least');
    return third === undefined ? [first, second] : [first, second, third];
  }

  /** The elements of an array: their ends stand behind them. */
  *elements(array: Range): Generator<Range> {
    const length = array.end - array.start;
    if (length === 0) return;
    const width = offsetWidth(length);
    const bodyEnd = this.#offset(array, array.end - width, width);
    const count = (array.end - bodyEnd) / width;
    if (!Number.isInteger(count) || count < 1) throw this.#wrong('an array without ends');
    // S9: before any of them is read.
    if (count > mostEntries) {
      throw tooMuch('a folder has too many entries', `${mostEntries} entries`, this.#where);
    }
    this.#expectNormal(bodyEnd - array.start, count, width);
    let start = array.start;
    for (let index = 0; index < count; index += 1) {
      const end = this.#offset(array, bodyEnd + index * width, width);
      if (end < start || end > bodyEnd) throw this.#wrong('an array with elements out of order');
      yield { start, end };
      start = end;
    }
  }

  /** A name, and one or two checksums of 32 bytes. */
  entry(range: Range, checksums: 1 | 2): [name: string, checksums: string[]] {
    const [name, ...sums] = this.members(range, checksums);
    const bytes = this.#bytes.subarray(name.start, name.end);
    if (bytes.indexOf(0) !== bytes.length - 1 || bytes.length === 0 || !isUtf8(bytes)) {
      throw this.#wrong('a string that is not UTF-8 with a NUL at its end');
    }
    const found = sums.map((sum) => {
      const { start, end } = sum ?? range;
      if (end - start === checksumLength) return this.#bytes.toString('hex', start, end);
      return checksumFromBytes(this.#bytes.subarray(start, end), this.#where);
    });
    return [bytes.toString('utf8', 0, bytes.length - 1), found];
  }

  /** An offset counts from the start of its container. */
  #offset(container: Range, at: number, width: number): number {
    if (width === 0 || at < container.start || at + width > container.end) {
      throw this.#wrong('framing offsets outside of their container');
    }
    const offset = this.#bytes.readUIntLE(at, width as 1 | 2 | 4) + container.start;
    if (offset > container.end) throw this.#wrong('an offset outside of its container');
    return offset;
  }

  /** Offsets are as wide as it takes, and no wider. */
  #expectNormal(body: number, offsets: number, width: number): void {
    const narrowest = [1, 2, 4].find((size) => offsetWidth(body + size * offsets) <= size);
    if (body < 0 || narrowest !== width) throw this.#wrong('it is not in normal form');
  }

  #wrong(found: string) {
    return corruptGVariant(type, this.#bytes.length, found, this.#where);
  }
}
