import { relocationSize, symbolSize } from '../pointers/elf/entry-sizes.ts';
import { offsetOf } from '../pointers/elf/segments.ts';
import { int32 } from '../pointers/little-endian.ts';
import type { SiteSource } from '../pointers/site-source.ts';
import { hashText } from './hash-bytes.ts';

const longestName = 256;

/**
 * Marks of what other programs have, by the names of the symbols: those of the entries of the table of symbols, and
 * of the words that are given a symbol's address when the program is loaded. By their offsets in the file.
 */
export interface SymbolMarks {
  readonly entries: ReadonlyMap<number, number>;
  readonly words: ReadonlyMap<number, number>;
}

/** Those of a file whose pointers are as they were. Memory: some 100 bytes for each relocation with a symbol. */
export function markSymbols(file: Uint8Array, { elf }: SiteSource): SymbolMarks {
  const entries = new Map<number, number>();
  const words = new Map<number, number>();
  const { segments, sections } = elf;
  const symbols = elf.symbols === undefined ? undefined : offsetOf(segments, elf.symbols);
  const names = elf.names === undefined ? undefined : offsetOf(segments, elf.names);
  if (symbols === undefined || names === undefined) return { entries, words };
  const isInside = (at: number, size: number): boolean => at + size <= file.length;
  for (const { kind, offset, size } of sections) {
    if (kind !== 'relocations') continue;
    for (let at = offset; at + relocationSize <= offset + size; at += relocationSize) {
      const number = int32(file, at + 12);
      const entry = symbols + number * symbolSize;
      if (number <= 0 || !isInside(entry, symbolSize) || int32(file, at + 4) !== 0) continue;
      const mark = hashText(file, names + int32(file, entry), longestName);
      entries.set(entry, mark);
      const word = offsetOf(segments, int32(file, at) >>> 0);
      if (word !== undefined && isInside(word, 8)) words.set(word, mark);
    }
  }
  return { entries, words };
}
