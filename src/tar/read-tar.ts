import { ByteReader } from './byte-reader.ts';
import { corruptTar } from './corrupt-tar.ts';
import { blockSize, decodeHeader, type TarHeader } from './header.ts';
import { decodePaxRecords, decodeXattrName, type PaxRecords, xattrKeyword } from './pax-records.ts';

/** No extended header is longer: a file's xattrs are 64 KiB of names and as much of each value. */
const longestExtension = 16 * 1024 * 1024;

/** A member of a tar, with what extended headers say put in its place. */
export interface TarEntry extends TarHeader {
  /** `SCHILY.xattr.*` in the order of the archive. */
  readonly xattrs: readonly (readonly [name: string, value: Buffer])[];
  /** Whether it has a POSIX ACL (`SCHILY.acl.*`). */
  readonly hasAcl: boolean;
  /** Whether holes were left out of its content, in one of GNU's ways. */
  readonly isSparse: boolean;
  /** Where its header lies in the archive. */
  readonly offset: number;
  /** Its content, to be read before the next entry is asked for, or not at all. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface ReadTarOptions {
  /** Whether the archive may end without the blocks of zeros: the parts of an .apk do. */
  readonly openEnded?: boolean;
}

/**
 * Reads a tar in one pass: POSIX pax and ustar, GNU's long names, the old form. Memory is bounded by one
 * extended header (S9). Own code because the tar packages of npm decode values of pax records as
 * text, which destroys capabilities and other binary xattrs.
 *
 * Throws CORRUPT_TAR; a stream that ends early is one.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  { openEnded = false }: ReadTarOptions = {},
): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  try {
    let globals: PaxRecords = new Map();
    let own: PaxRecords = new Map();
    for (;;) {
      const { offset } = reader;
      const block = await reader.read(blockSize);
      if (block.length === 0 && openEnded && own.size === 0) return;
      if (block.length < blockSize) {
        throw corruptTar('the archive is cut short', 'a header', 'its end', offset);
      }
      if (block.every((byte) => byte === 0)) return await reader.drain();
      const header = decodeHeader(block, offset);
      const extension = await readExtension(reader, header);
      if (extension !== undefined) {
        if (header.type === 'g') globals = together(globals, extension, offset);
        else own = together(own, extension, offset);
        continue;
      }
      yield* entry(reader, { ...header, offset }, new Map([...globals, ...own]));
      own = new Map();
    }
  } finally {
    await reader.close();
  }
}

/** S9: all that is kept for the entries to come is bounded, in however many headers it stands. */
function together(before: PaxRecords, more: PaxRecords, offset: number): PaxRecords {
  const all = new Map([...before, ...more]);
  let size = 0;
  for (const [key, value] of all) size += key.length + value.length;
  if (size <= longestExtension) return all;
  const expected = `at most ${longestExtension} bytes`;
  throw corruptTar('extended headers are too long', expected, `${size} bytes`, offset);
}

/** What an extended header says of the next entry, as pax records; `undefined` for an entry. */
async function readExtension(
  reader: ByteReader,
  { type, size }: TarHeader,
): Promise<PaxRecords | undefined> {
  if (!['x', 'g', 'L', 'K'].includes(type)) return undefined;
  const { offset } = reader;
  if (size > longestExtension) {
    const expected = `at most ${longestExtension} bytes`;
    throw corruptTar('an extended header is too long', expected, `${size} bytes`, offset);
  }
  const bytes = await reader.read(padded(size));
  if (bytes.length < padded(size)) {
    throw corruptTar('the archive is cut short', `${size} bytes`, `${bytes.length}`, offset);
  }
  const value = bytes.subarray(0, size);
  if (type === 'x' || type === 'g') return decodePaxRecords(value, offset);
  const end = value.indexOf(0);
  return new Map([[type === 'L' ? 'path' : 'linkpath', value.subarray(0, end < 0 ? size : end)]]);
}

async function* entry(
  reader: ByteReader,
  header: TarHeader & { readonly offset: number },
  records: PaxRecords,
): AsyncGenerator<TarEntry> {
  const size = number(records, 'size', header);
  const keywords = [...records.keys()];
  const end = reader.offset + padded(size);
  yield {
    ...header,
    name: records.get('path') ?? header.name,
    linkName: records.get('linkpath') ?? header.linkName,
    uid: number(records, 'uid', header),
    gid: number(records, 'gid', header),
    size,
    xattrs: [...records].flatMap(([key, value]) =>
      key.startsWith(xattrKeyword)
        ? [[decodeXattrName(key.slice(xattrKeyword.length)), value] as const]
        : [],
    ),
    hasAcl: keywords.some((key) => key.startsWith('SCHILY.acl.')),
    isSparse: header.type === 'S' || keywords.some((key) => key.startsWith('GNU.sparse.')),
    content: reader.stream(size),
  };
  // What was not read of the content, and what fills up its last block.
  for await (const piece of reader.stream(end - reader.offset)) void piece;
}

function number(
  records: PaxRecords,
  key: 'size' | 'uid' | 'gid',
  header: TarHeader & { readonly offset: number },
): number {
  const text = records.get(key)?.toString('latin1');
  if (text === undefined) return header[key];
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw corruptTar('a number is none', `${key}=DIGITS`, JSON.stringify(text), header.offset);
}

function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}
