import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Elf } from '../elf/elf.ts';
import { pageSize } from '../sites.ts';
import type { BtfLayout } from './layout.ts';
import { recordHeader, recordSize } from './records.ts';

const readSize = 64 << 10;

/** The record that a page of a file begins with, or in: how far before the page it begins, and its second word. */
export interface BtfStart {
  readonly before: number;
  readonly info: number;
}

/** Tells of each page of a file with which record of BTF it begins. */
export interface BtfStarts {
  startOf(page: number): BtfStart | undefined;
}

/**
 * Where the records of types of a file begin; `undefined` without types, or when one record is not what it should be. What else
 * is predicted comes before the differences are added, types behind them: they must lie apart.
 */
export async function btfStartsOf(
  file: PositionedReader,
  { btf, sections }: Elf,
): Promise<BtfStarts | undefined> {
  if (btf === undefined) return undefined;
  const { offset, size } = btf.types;
  const isApart = sections.every(
    (each) =>
      each.kind === 'btf' || each.offset >= offset + size || each.offset + each.size <= offset,
  );
  return isApart ? findBtfStarts(file, btf.types) : undefined;
}

/**
 * Records have no mark between them: only a walk from the first one tells where the others begin. `undefined` when one of them is
 * not what it should be. Memory: eight bytes for each 4 KiB.
 */
export async function findBtfStarts(
  file: PositionedReader,
  { offset, size }: BtfLayout['types'],
): Promise<BtfStarts | undefined> {
  const firstPage = Math.floor(offset / pageSize);
  const end = offset + size;
  const pages = Math.ceil(end / pageSize) - firstPage;
  const [starts, infos] = [new Int32Array(pages), new Int32Array(pages)];
  const memory = Buffer.allocUnsafe(Math.min(size, readSize + recordHeader));
  let next = offset;
  let page = 0;
  for (let at = offset; at < end; at += readSize) {
    // More bytes than a piece, so that no header lies on the border of two.
    const bytes = await file.read(at, Math.min(readSize + recordHeader, end - at), memory);
    while (next < at + readSize && next < end) {
      if (next + recordHeader > end) return undefined;
      const info = bytes.readInt32LE(next - at + 4);
      const length = recordSize(info);
      if (length === 0 || next + length > end) return undefined;
      // All pages that begin within it, and the first one of all.
      for (; page < pages && (firstPage + page) * pageSize < next + length; page++) {
        starts[page] = (firstPage + page) * pageSize - next;
        infos[page] = info;
      }
      next += length;
    }
  }
  return {
    startOf(number) {
      const before = starts[number - firstPage];
      const info = infos[number - firstPage];
      return before === undefined || info === undefined ? undefined : { before, info };
    },
  };
}
