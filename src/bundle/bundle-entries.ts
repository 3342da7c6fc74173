import type { PositionedReader } from '../ports/positioned-reader.ts';
import { blockSize, decodeHeader } from '../tar/header.ts';
import { decodePaxRecords } from '../tar/pax-records.ts';
import { checkMark } from './bundle-mark.ts';
import { corruptBundle } from './corrupt-bundle.ts';

/** No bundle has more files, and no extended header (a long name) more bytes (S5). */
const mostEntries = 1000;
const longestExtension = 4096;

/** Finds the files of a bundle by their paths in it, the mark first. Reads that and headers. Throws CORRUPT_BUNDLE, CORRUPT_TAR. */
export async function readEntries(
  reader: PositionedReader,
  name: string,
): Promise<ReadonlyMap<string, PositionedReader>> {
  const entries = new Map<string, PositionedReader>();
  let path: string | undefined;
  for (let at = 0; ; ) {
    const block = await readBlock(reader, at, name);
    if (block.every((byte) => byte === 0)) break;
    const header = decodeHeader(block, at);
    const offset = at + blockSize;
    if (header.size > reader.size - offset) {
      const expected = `${header.size} bytes at ${offset}`;
      throw corruptBundle({ expected, found: 'its end', where: name });
    }
    at = offset + blockSize * Math.ceil(header.size / blockSize);
    if (header.type === 'x' && header.size <= longestExtension) {
      const records = decodePaxRecords(await reader.read(offset, header.size), offset);
      path = records.get('path')?.toString();
      continue;
    }
    if (header.type !== '0') {
      const found = `an entry of type ${header.type}`;
      throw corruptBundle({ expected: 'files only', found, where: `${name}, byte ${offset}` });
    }
    path ??= header.name.toString();
    if (entries.has(path) || entries.size === mostEntries) {
      const expected = `at most ${mostEntries} files, each once`;
      throw corruptBundle({ expected, found: JSON.stringify(path), where: name });
    }
    const entry = part(reader, offset, header.size);
    // A later version may be something else from here on.
    if (entries.size === 0) await checkMark(path, entry, name);
    entries.set(path, entry);
    path = undefined;
  }
  if (entries.size === 0) await checkMark('', part(reader, 0, 0), name);
  return entries;
}

async function readBlock(reader: PositionedReader, at: number, name: string): Promise<Buffer> {
  if (at + blockSize <= reader.size) return reader.read(at, blockSize);
  const found = `a file of ${reader.size} bytes`;
  throw corruptBundle({ expected: `${blockSize} bytes at ${at}`, found, where: name });
}

function part(reader: PositionedReader, start: number, size: number): PositionedReader {
  return {
    size,
    read(position, length, into) {
      if (position < 0 || position + length > size) throw new RangeError('beyond the file');
      return reader.read(start + position, length, into);
    },
  };
}
