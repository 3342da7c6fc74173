import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Machine, Section } from '../elf/elf.ts';
import { smallNumber } from '../elf/numbers.ts';
import type { Segment } from '../elf/segments.ts';
import { type GoTables, readGoTables } from './tables.ts';

const sectionHeaderSize = 64;
/** Names of the sections with a program's table of functions; some have more in front. */
const tableName = '.gopclntab\0';
/** What every Go program has: one whose linker joined the table to its other data, too. */
const buildName = '.go.buildinfo\0';
/** More bytes of names no program has. */
const maxNames = 4096;
const readSize = 64 << 10;
/** Bytes of the shortest instruction, which the table tells. */
const leastInstruction: Readonly<Record<Machine, number>> = { 'x86-64': 1, arm64: 4 };

/** What is known of a program when its Go tables are looked for. */
interface Program {
  /** The section headers, and the number of the one of their names. */
  readonly table: Buffer;
  readonly names: number;
  readonly machine: Machine;
  readonly segments: readonly Segment[];
  readonly sections: Section[];
}

/**
 * Reads the tables of a Go program. They come into `sections` in the place of the one that has them, or of a part of it.
 * `undefined` for all other programs.
 */
export async function placeGoTables(
  file: PositionedReader,
  program: Program,
): Promise<GoTables | undefined> {
  const { segments, sections } = program;
  const names = await readNames(file, program);
  const found = names && ((await named(program, names)) ?? (await joined(file, program, names)));
  if (found === undefined) return undefined;
  const [index, table] = found;
  const tables = await readGoTables(file, segments, table, sections);
  const whole = sections[index];
  if (tables === undefined || whole === undefined) return undefined;
  const { go, parts, size } = tables;
  const rest = [
    { ...whole, size: table.offset - whole.offset },
    behind(whole, table.offset + size - whole.offset),
  ];
  // Behind the table, in its own section, are only what it leads to.
  const kept = whole.kind === 'pointers' ? rest.filter((each) => each.size > 0) : [];
  sections.splice(index, 1, ...kept, ...parts);
  return go;
}

function behind({ kind, offset, size, address }: Section, before: number): Section {
  return { kind, offset: offset + before, size: size - before, address: address + before };
}

async function readNames(
  file: PositionedReader,
  { table, names }: Program,
): Promise<Buffer | undefined> {
  const at = names * sectionHeaderSize;
  if (at >= table.length) return undefined;
  const [offset, size] = [smallNumber(table, at + 24), smallNumber(table, at + 32)];
  if (offset === undefined || size === undefined) return undefined;
  return size > maxNames || offset + size > file.size ? undefined : file.read(offset, size);
}

/** The section whose name says so. */
function named({ table, sections }: Program, names: Buffer): [number, Section] | undefined {
  const found = names.indexOf(tableName);
  if (found < 0) return undefined;
  for (let entry = 0; entry < table.length; entry += sectionHeaderSize) {
    const name = table.readUInt32LE(entry);
    if (name > found || names.indexOf(0, name) !== found + tableName.length - 1) continue;
    const offset = smallNumber(table, entry + 24);
    const index = sections.findIndex((section) => section.offset === offset);
    const section = sections[index];
    return section && [index, section];
  }
  return undefined;
}

/** Where in data a table begins: it goes on to the end of the section, for all that is known. */
async function joined(
  file: PositionedReader,
  { machine, sections }: Program,
  names: Buffer,
): Promise<[number, Section] | undefined> {
  if (!names.includes(buildName)) return undefined;
  const start = Buffer.from([0xff, 0xff, 0xff, 0, 0, leastInstruction[machine], 8]);
  const memory = Buffer.allocUnsafe(readSize + start.length);
  for (const [index, section] of sections.entries()) {
    if (section.kind !== 'pointers') continue;
    for (let at = 0; at < section.size; at += readSize) {
      const length = Math.min(memory.length, section.size - at);
      const bytes = await file.read(section.offset + at, length, memory);
      // A byte before it tells the version: at the border of two pieces the one before has both.
      const found = bytes.indexOf(start, 1);
      if (found >= 0) return [index, behind(section, at + found - 1)];
    }
  }
  return undefined;
}
