import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createInflateRaw, inflateRaw, inflateRawSync } from 'node:zlib';
import { PineError } from '../error.ts';
import {
  decodeFileHeader,
  type FileHeader,
  fileObjectHash,
  headerLength,
  headerPrefix,
  isLinkHeader,
} from './file-header.ts';
import { missingObject, type Repository } from './repository.ts';

/** Contents up to this size are inflated at once; larger ones are streamed (S9). */
const mediumFile = 1024 * 1024;
const pieceSize = 64 * 1024;
/**
 * A .filez up to this size, and of so much content, is read and inflated synchronously, out of a buffer that is used
 * again and again: with Node's threads it takes several times as long.
 */
const scratchSize = 64 * 1024;
const smallFile = 256 * 1024;
let scratch: Buffer | undefined;

/** Reads the header of a file object, without its content. Throws NOT_FOUND_OBJECT, CORRUPT_…. */
export function readFileHeader(repository: Repository, checksum: string): FileHeader {
  return readFileHeaderAt(repository.objectFile(checksum, 'filez'));
}

/** The header of a .filez at any path. */
export function readFileHeaderAt(path: string): FileHeader {
  return readHeader(path).header;
}

/**
 * Streams the plain content of a file object. The stream ends in CORRUPT_OBJECT when header or
 * content do not match the checksum; never more bytes come out than the header says (S5).
 */
export function readFileContent(
  repository: Repository,
  checksum: string,
): AsyncGenerator<Uint8Array> {
  return readFileObjectAt(repository.objectFile(checksum, 'filez'), checksum);
}

/** The same for a .filez at any path; with `length`, content of another length is refused before it is read. */
export async function* readFileObjectAt(
  path: string,
  checksum: string,
  length?: number,
): AsyncGenerator<Uint8Array> {
  const small = readSmall(path);
  const object = small ?? readHeader(path);
  const { header } = object;
  if (length !== undefined && header.size !== length) {
    throw wrongSize(path, length, `${header.size} bytes`);
  }
  const hash = fileObjectHash(header);
  let size = 0;
  if (!isLinkHeader(header)) {
    for await (const piece of 'deflated' in object
      ? piecesOf(inflateSmall(path, object.deflated, header.size))
      : inflate(path, object.contentAt, header.size, object.fileSize)) {
      size += piece.length;
      if (size > header.size) throw wrongSize(path, header.size, `more than ${header.size} bytes`);
      hash.update(piece);
      yield piece;
    }
  }
  if (size !== header.size) throw wrongSize(path, header.size, `${size} bytes`);
  const found = hash.digest('hex');
  if (found === checksum) return;
  throw corrupt('a file object is not what its name says', `checksum ${checksum}`, found, path);
}

/** Reads a file object to its end, for nothing but to check it. Throws as `readFileContent`. */
export async function checkFileObject(repository: Repository, checksum: string): Promise<void> {
  for await (const _ of readFileContent(repository, checksum));
}

/** A small .filez, its content until the next one is read; `undefined` for what is not small, or cut in its header. */
function readSmall(path: string): { header: FileHeader; deflated: Buffer } | undefined {
  const object = readIntoScratch(path);
  if (object === undefined) return undefined;
  const contentAt = headerPrefix + headerLength(object.subarray(0, headerPrefix), path);
  if (object.length < contentAt) return undefined;
  const header = decodeFileHeader(Buffer.from(object.subarray(headerPrefix, contentAt)), path);
  return header.size > smallFile ? undefined : { header, deflated: object.subarray(contentAt) };
}

/** A whole file, until the next one is read; `undefined` when it is larger than the scratch buffer. */
function readIntoScratch(path: string): Buffer | undefined {
  scratch ??= Buffer.allocUnsafeSlow(scratchSize);
  const descriptor = openObject(path);
  try {
    let filled = 0;
    for (let count = -1; count !== 0 && filled < scratchSize; filled += count) {
      count = readSync(descriptor, scratch, filled, scratchSize - filled, filled);
    }
    return filled < scratchSize ? scratch.subarray(0, filled) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function inflateSmall(path: string, deflated: Buffer, size: number): Buffer {
  try {
    const room = { maxOutputLength: size + 1, chunkSize: Math.max(size + 1, 64) };
    return inflateRawSync(deflated, room);
  } catch (error) {
    throw inflateError(path, size, error);
  }
}

/** A repository as the source of a plan's objects: the `ObjectSource` of plan/object-source.ts. */
export function objectsOf(repository: Repository): {
  open(checksum: string, length: number): AsyncIterable<Uint8Array>;
} {
  return {
    open: (checksum, length) =>
      readFileObjectAt(repository.objectFile(checksum, 'filez'), checksum, length),
  };
}

/** The header of the .filez at `path`, and where its deflated content begins. */
function readHeader(path: string) {
  const descriptor = openObject(path);
  try {
    const start = Buffer.alloc(4096);
    const filled = readSync(descriptor, start, 0, start.length, 0);
    const length = headerLength(start.subarray(0, Math.min(filled, headerPrefix)), path);
    let body = start.subarray(headerPrefix, filled).subarray(0, length);
    if (body.length < length && filled === start.length) {
      body = Buffer.alloc(length);
      body = body.subarray(0, readSync(descriptor, body, 0, length, headerPrefix));
    }
    if (body.length < length) {
      throw corrupt('a file object is cut short', `a header of ${length} bytes`, 'less', path);
    }
    const header: FileHeader = decodeFileHeader(body, path);
    return { header, contentAt: headerPrefix + length, fileSize: fstatSync(descriptor).size };
  } finally {
    closeSync(descriptor);
  }
}

async function* inflate(
  path: string,
  from: number,
  size: number,
  fileSize: number,
): AsyncGenerator<Uint8Array> {
  try {
    if (size <= mediumFile && fileSize <= 2 * mediumFile) {
      const deflated = (await readFile(path)).subarray(from);
      yield* piecesOf(await promisify(inflateRaw)(deflated, { maxOutputLength: size + 1 }));
      return;
    }
    const inflater = createInflateRaw({ chunkSize: pieceSize });
    const source = createReadStream(path, { start: from, highWaterMark: pieceSize });
    yield* pipeline(source, inflater, () => {}) as AsyncIterable<Buffer>;
  } catch (error) {
    throw inflateError(path, size, error);
  }
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
}

/** What zlib threw, as an error of ours where it says that the object is bad. */
function inflateError(path: string, size: number, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_BUFFER_TOO_LARGE') return wrongSize(path, size, `more than ${size} bytes`);
  if (!code.startsWith('Z_')) return error;
  return corrupt('a file object is damaged', 'deflated content', (error as Error).message, path);
}

/** Throws NOT_FOUND_OBJECT, and CORRUPT_OBJECT for what is no file: a pipe would be waited for without end. */
function openObject(path: string): number {
  const descriptor = openAtOnce(path);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw corrupt('something else is in the place of an object', 'a file', 'no file', path);
}

function openAtOnce(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missingObject(path);
    throw error;
  }
}

function wrongSize(path: string, expected: number, found: string): PineError {
  return corrupt('a file object has another size', `${expected} bytes`, found, path);
}

function corrupt(summary: string, expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_OBJECT', summary, {
    expected,
    found,
    where,
    remedy: 'commit the tree again or fetch the object; `pinectl fsck` lists all damaged objects',
  });
}
