import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import { type BtfLayout, readBtfLayout } from '../btf/layout.ts';
import type { Elf, Machine, Section } from '../elf/elf.ts';
import { sectionHeaderSize, symbolSize } from '../elf/entry-sizes.ts';
import { wholeFile } from '../elf/segments.ts';

/** What an object file that is not linked yet (ET_REL; a kernel module) has for its relocations. */
export interface ObjectFile {
  /** Where each section begins in the file, by its number; -1 for one without bytes there. */
  readonly starts: Float64Array;
  /** By number of a symbol: the number of the section that it stands for, or 0. Of the first symbols only. */
  readonly sectionOf: Int32Array;
}

/** Symbols that stand for sections are in front. */
const maxSectionSymbols = 1024;
const sectionType = { progbits: 1, symbols: 2, rela: 4, nobits: 8 };
const sectionSymbol = 3;
const executable = 4;

/** Reads what is known of an object file by its section headers, `table`, which begin at `start`. */
export async function readObjectFile(
  file: PositionedReader,
  machine: Machine,
  table: Buffer,
  start: number,
): Promise<Elf | undefined> {
  const headers = readHeaders(table, file.size);
  const starts = Float64Array.from(headers, ({ offset }) => offset);
  const symbols = headers.find(({ type }) => type === sectionType.symbols);
  if (symbols === undefined) return undefined;
  const count = Math.min(maxSectionSymbols, Math.floor(symbols.size / symbolSize));
  const entries = await file.read(symbols.offset, count * symbolSize);
  const sectionOf = Int32Array.from({ length: count }, (_, index) => {
    const at = index * symbolSize;
    return ((entries[at + 4] ?? 0) & 15) === sectionSymbol ? entries.readUInt16LE(at + 6) : 0;
  });
  const sections: Section[] = [
    { kind: 'section-headers', offset: start, size: table.length, address: start },
  ];
  for (const { type, offset, size, info } of headers) {
    const isCode = ((headers[info]?.flags ?? 0) & executable) !== 0;
    const place = { offset, size, address: offset };
    if (type === sectionType.symbols) sections.push({ kind: 'object-symbols', ...place });
    const target = starts[info] ?? -1;
    if (type !== sectionType.rela || target < 0) continue;
    sections.push({ kind: 'object-relocations', ...place, target: { start: target, isCode } });
  }
  const btf = await findTypes(file, headers);
  if (btf !== undefined) sections.push({ kind: 'btf', ...btf.types, address: 0 });
  const names = starts[symbols.link] ?? -1;
  return {
    machine,
    isFixed: false,
    segments: wholeFile,
    sections,
    frameIndex: undefined,
    symbols: symbols.offset,
    names: names < 0 ? undefined : names,
    btf,
    objectFile: { starts, sectionOf },
  };
}

/** The first section that has types, of those that are not loaded as they are. */
async function findTypes(
  file: PositionedReader,
  headers: ReturnType<typeof readHeaders>,
): Promise<BtfLayout | undefined> {
  for (const header of headers) {
    if (header.type !== sectionType.progbits || header.flags !== 0) continue;
    const btf = await readBtfLayout(file, header);
    if (btf !== undefined) return btf;
  }
  return undefined;
}

/** All headers; those whose content is not in the file have neither place nor type. */
function readHeaders(table: Buffer, fileSize: number) {
  return Array.from({ length: table.length / sectionHeaderSize }, (_, index) => {
    const at = index * sectionHeaderSize;
    const [offset, size] = [number(table, at + 24), number(table, at + 32)];
    const type = table.readUInt32LE(at + 4);
    const isInside = offset > 0 && type !== sectionType.nobits && offset + size <= fileSize;
    return {
      type: isInside ? type : 0,
      offset: isInside ? offset : -1,
      size,
      flags: table.readUInt32LE(at + 8),
      link: table.readUInt32LE(at + 40),
      info: table.readUInt32LE(at + 44),
    };
  });
}

function number(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
}
