/** Bytes that are put one behind the other; tells where each begins. */
export class Pile {
  readonly #parts: Buffer[] = [];
  size = 0;

  add(bytes: Buffer): number {
    const at = this.size;
    this.#parts.push(bytes);
    this.size += bytes.length;
    return at;
  }

  align(to: number): void {
    this.add(Buffer.alloc((to - (this.size % to)) % to));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Words of 32 bits. */
export function wordsOf(numbers: readonly number[]): Buffer {
  return Buffer.from(Int32Array.from(numbers, (number) => number | 0).buffer);
}

/** Words of 64 bits. */
export function longWordsOf(numbers: readonly number[]): Buffer {
  return Buffer.from(BigInt64Array.from(numbers, (number) => BigInt(number)).buffer);
}

/** A section whose content is in a file already. */
export interface RawSection {
  readonly name: string;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
}

/** Adds names and headers of sections, and fills in those of the file, all of which is loaded at `base`. */
export function asProgram(file: Pile, sections: readonly RawSection[], base: number): Buffer {
  const names = new Pile();
  names.add(Buffer.alloc(1));
  const namesAt = file.size;
  const all = [...sections, { name: '.shstrtab', flags: 0, offset: namesAt, size: 0 }];
  const nameAt = all.map(({ name }) => names.add(Buffer.from(`${name}\0`)));
  file.add(names.bytes);
  file.align(8);
  const headersAt = file.size;
  all.forEach(({ flags, offset, size }, index) => {
    const type = flags === 0 ? 3 : 1;
    const length = flags === 0 ? names.size : size;
    file.add(wordsOf([nameAt[index] ?? 0, type]));
    file.add(longWordsOf([flags, base + offset, offset, length, 0, 0, 0]));
  });
  const bytes = file.bytes;
  bytes.write('7f454c4602010100', 0, 'hex');
  Buffer.from(Uint16Array.of(2, 62).buffer).copy(bytes, 16);
  longWordsOf([64, headersAt]).copy(bytes, 32);
  const shape = Uint16Array.of(56, 1, 64, all.length, sections.length);
  Buffer.from(shape.buffer).copy(bytes, 54);
  const segment = [1, 0, base, base, bytes.length, bytes.length, 4096];
  longWordsOf(segment).copy(bytes, 64);
  return bytes;
}
