import { asProgram, longWordsOf, Pile, wordsOf } from './pile.ts';
import { generator } from './small-elf.ts';

/** A tiny program as Go's linker makes one: with tables of its functions and types, and nothing that runs. */
export interface SmallGo {
  /** Bytes of padding in each function: one that grew has longer names and more values, too. */
  readonly functions: readonly number[];
  /** Go 1.18 and 1.19, or later. */
  readonly isOld?: boolean;
  /** The table has a section of its own, or is somewhere in the data. */
  readonly isJoined?: boolean;
}

const base = 0x400000;
const typeSize = 80;
const valuesEach = 3;
const tableHeader = 96;

/** What the tables are about, each function's at its number. */
interface Parts {
  readonly text: Pile;
  readonly names: Pile;
  readonly files: Pile;
  readonly values: Pile;
  readonly entries: readonly number[];
  readonly nameAt: readonly number[];
  readonly fileAt: readonly number[];
  readonly valueAt: readonly (readonly number[])[];
}

type Noise = (length: number) => Buffer;

export function makeGoProgram({ functions, isOld = false, isJoined = false }: SmallGo): Buffer {
  const random = generator(11);
  const noise: Noise = (length) =>
    Buffer.from(Array.from({ length }, () => 0x50 + (random() % 160)));
  const parts = makeParts(functions, noise);
  const { text, entries, nameAt } = parts;
  const file = new Pile();
  file.add(Buffer.alloc(0x1000));
  const textAt = file.add(text.bytes);
  file.align(0x1000);
  const typesAt = file.add(makeTypes(functions, entries, base + textAt, noise));
  const typesEnd = file.size;
  file.align(8);
  const dataAt = file.size;
  // What became part of a function.
  for (const at of nameAt) file.add(wordsOf([2, at, 17, 100]));
  const bucketsAt = file.size;
  for (let at = 0; at < text.size; at += 4096) {
    const first = entries.filter((entry) => entry <= at).length - 1;
    file.add(wordsOf([first, 0, 0, 0, 0]));
  }
  file.align(32);
  const constantsEnd = file.size;
  if (isJoined) file.add(Buffer.alloc(64, 'other data'));
  const { bytes: table, names } = makeTable(parts, isOld);
  const tableAt = file.add(table);
  file.align(32);
  const linksAt = file.add(wordsOf(functions.map((_, index) => typeSize * index)));
  file.align(32);
  const words = Array.from({ length: 50 }, () => 0);
  const put = (at: number, ...numbers: number[]): void => {
    words.splice(at, numbers.length, ...numbers);
  };
  const [count, data] = [functions.length, isOld ? 38 : 40];
  put(0, base + tableAt, base + tableAt + names);
  put(19, base + bucketsAt);
  put(22, base + textAt, base + textAt + text.size);
  put(data - 3, base + typesAt, base + typesEnd);
  put(data, base + dataAt);
  put(data + 5, base + linksAt, count, count);
  const moduleAt = file.add(longWordsOf(words));
  const end = file.size;
  const section = (name: string, flags: number, offset: number, to: number) => ({
    ...{ name, flags, offset, size: to - offset },
  });
  const sections = [
    section('.text', 6, textAt, textAt + text.size),
    section('.rodata', 2, typesAt, constantsEnd),
    ...(isJoined
      ? [section('.data.rel.ro', 3, constantsEnd, end)]
      : [
          section('.data.rel.ro.gopclntab', 2, tableAt, tableAt + table.length),
          section('.noptrdata', 3, moduleAt, end),
        ]),
    section('.go.buildinfo', 3, moduleAt, moduleAt + 16),
  ];
  return asProgram(file, sections, base);
}

function makeParts(functions: readonly number[], noise: Noise): Parts {
  const [text, names, files, values] = [new Pile(), new Pile(), new Pile(), new Pile()];
  names.add(Buffer.alloc(2048, 'a package with long names, which come first\0'));
  values.add(Buffer.alloc(1));
  const each = functions.map((padding, index) => {
    const entry = text.add(noise(48));
    text.add(Buffer.alloc(padding, 0x90));
    const grown = 'x'.repeat(padding);
    const name = names.add(Buffer.from(`main.${noise(6).toString('hex')}${grown}\0`));
    const file = files.add(Buffer.from(`/src/${index}${grown}.go\0`));
    const more = Buffer.alloc(padding >> 2, 1);
    const at = Array.from({ length: valuesEach }, () =>
      values.add(Buffer.concat([noise(6), more, Buffer.alloc(1)])),
    );
    return { entry, name, file, at };
  });
  values.align(8);
  return {
    ...{ text, names, files, values },
    entries: each.map(({ entry }) => entry),
    nameAt: each.map(({ name }) => name),
    fileAt: each.map(({ file }) => file),
    valueAt: each.map(({ at }) => at),
  };
}

/** A type for each function, which is its one method, and their names behind them. */
function makeTypes(
  functions: readonly number[],
  entries: readonly number[],
  text: number,
  noise: Noise,
): Buffer {
  const names = new Pile();
  const types = functions.map((padding, index) => {
    const entry = entries[index] ?? 0;
    const grown = 'y'.repeat(padding);
    const at = names.add(Buffer.from(`*main.${noise(4).toString('hex')}${grown}`));
    const name = functions.length * typeSize + at;
    return Buffer.concat([
      longWordsOf([24, 8]),
      noise(4),
      Buffer.from([7, 8, 8, 25]),
      longWordsOf([text + entry, 0]),
      wordsOf([name, 0, 0, 0, 0, 0]),
      wordsOf([name, 64, entry || 1, -1]),
    ]);
  });
  return Buffer.concat([...types, names.bytes]);
}

/** The table of functions, and where in it the names begin. */
function makeTable(
  { text, names, files, values, entries, nameAt, fileAt, valueAt }: Parts,
  isOld: boolean,
): { readonly bytes: Buffer; readonly names: number } {
  const count = entries.length;
  const table = new Pile();
  table.add(Buffer.alloc(tableHeader));
  const starts = [table.add(names.bytes)];
  table.align(8);
  starts.push(table.add(wordsOf(fileAt)), table.add(files.bytes));
  table.align(8);
  starts.push(table.add(values.bytes));
  const [recordSize, listSize] = [isOld ? 40 : 44, 16];
  const recordRoom = 8 * Math.ceil((recordSize + listSize) / 8);
  const first = 8 * Math.ceil((8 * count + 4) / 8);
  const list = entries.flatMap((entry, index) => [entry, first + recordRoom * index]);
  starts.push(table.add(wordsOf([...list, text.size])));
  table.align(8);
  entries.forEach((entry, index) => {
    const at = valueAt[index] ?? [];
    const [, second = 0, third = 0] = at;
    const lists = wordsOf([second, third, 16 * index, -1]);
    const record = wordsOf([entry, nameAt[index] ?? 0, 8, 0, ...at, 2, index]);
    const rest = Buffer.alloc(recordSize - record.length);
    rest[rest.length - 1] = 2;
    table.add(Buffer.concat([record, rest, lists]));
    table.align(8);
  });
  const bytes = table.bytes;
  const magic = [isOld ? 0xf0 : 0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
  const header = Buffer.concat([Buffer.from(magic), longWordsOf([count, count, 0, ...starts])]);
  header.copy(bytes);
  return { bytes, names: starts[0] ?? 0 };
}
