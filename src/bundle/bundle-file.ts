import { PineError } from '../error.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { blockSize, decodeHeader } from '../tar/header.ts';
import { decodePaxRecords } from '../tar/pax-records.ts';

/** The first member of every bundle, and what it says. */
export const markName = 'pine-bundle';
export const markText = 'pine-bundle 1\n';

/** No bundle has more files, and no extended header (a long name) more bytes (S5). */
const mostEntries = 1000;
const longestExtension = 4096;

/** A bundle that is opened: some files of a repository, by their paths in it. Nothing of it is believed. */
export interface Bundle {
  readonly name: string;
  readonly paths: readonly string[];
  /** One file; `undefined` when the bundle does not have it. */
  file(path: string): PositionedReader | undefined;
}

/** Finds the files of a bundle: docs/bundles.md. Reads headers only. Throws CORRUPT_BUNDLE. */
export async function openBundle(reader: PositionedReader, name: string): Promise<Bundle> {
  const entries = await readEntries(reader, name).catch((error: unknown) => {
    if (!(error instanceof PineError) || error.code !== 'CORRUPT_TAR') throw error;
    throw corruptBundle(error.details.expected, error.details.found, `${name}: ${error.message}`);
  });
  const file = (path: string): PositionedReader | undefined => {
    const entry = entries.get(path);
    return entry && part(reader, entry.offset, entry.size);
  };
  const [first] = entries.keys();
  const mark = first === markName ? file(markName) : undefined;
  const found = mark && (await mark.read(0, Math.min(mark.size, markText.length))).toString();
  if (found !== markText) {
    throw corruptBundle(JSON.stringify(markText), JSON.stringify(found ?? first ?? ''), name);
  }
  return { name, paths: [...entries.keys()], file };
}

async function readEntries(reader: PositionedReader, name: string) {
  const entries = new Map<string, { readonly offset: number; readonly size: number }>();
  let path: string | undefined;
  for (let at = 0; ; ) {
    const block = await readSome(reader, at, blockSize, name);
    if (block.every((byte) => byte === 0)) return entries;
    const header = decodeHeader(block, at);
    const offset = at + blockSize;
    if (header.size > reader.size - offset) {
      throw corruptBundle(`${header.size} bytes at ${offset}`, 'its end', name);
    }
    at = offset + blockSize * Math.ceil(header.size / blockSize);
    if (header.type === 'x' && header.size <= longestExtension) {
      const records = decodePaxRecords(await reader.read(offset, header.size), offset);
      path = records.get('path')?.toString();
      continue;
    }
    if (header.type !== '0') {
      throw corruptBundle(
        'files only',
        `an entry of type ${header.type}`,
        `${name}, byte ${offset}`,
      );
    }
    path ??= header.name.toString();
    if (entries.has(path) || entries.size === mostEntries) {
      throw corruptBundle(`at most ${mostEntries} files, each once`, JSON.stringify(path), name);
    }
    entries.set(path, { offset, size: header.size });
    path = undefined;
  }
}

async function readSome(reader: PositionedReader, at: number, length: number, name: string) {
  if (at + length <= reader.size) return reader.read(at, length);
  throw corruptBundle(`${length} bytes at ${at}`, `a file of ${reader.size} bytes`, name);
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

function corruptBundle(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_BUNDLE', 'this is no bundle, or it is damaged', {
    expected,
    found,
    where,
    remedy: 'copy it again; make it with `pinectl bundle create`',
  });
}
