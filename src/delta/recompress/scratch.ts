import type { FileSystem } from '../../ports/file-system.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';

/** Bytes that are collected before they are appended to the file (S9). */
const pieceSize = 256 * 1024;
/** No file is made for what is as short. */
const shortest = 64 * 1024;

/** Bytes that are kept outside of memory while a delta is applied: written once, then read by position. */
export interface Scratch {
  add(bytes: Uint8Array): Promise<void>;
  /** No more is added. */
  finish(): Promise<void>;
  /** Into `into` where that is given and can be. */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Takes no room any more, and begins anew. */
  clear(): Promise<void>;
}

/**
 * A file for that, which need not be there, and is not made for up to `kept` bytes, which stay in memory: less than a piece.
 * What a run that is cut leaves is made again: it is not synced.
 */
export function scratchFile(
  files: Pick<FileSystem, 'appendFile' | 'readAt' | 'remove'>,
  path: string,
  kept: 0 | typeof shortest = shortest,
): Scratch {
  const waiting = Buffer.allocUnsafe(pieceSize);
  let size = 0;
  let isInFile = false;
  // A run that was cut may have left it.
  let mayBeThere = true;
  const append = async (): Promise<void> => {
    isInFile = true;
    mayBeThere = true;
    await files.appendFile(path, waiting.subarray(0, size), 0o600);
    size = 0;
  };
  const read = async (position: number, length: number, into?: Buffer): Promise<Buffer> => {
    if (isInFile) return files.readAt(path, position, length, into);
    const bytes = waiting.subarray(0, size).subarray(position, position + length);
    if (into === undefined || into.length < bytes.length) return Buffer.from(bytes);
    bytes.copy(into);
    return into.subarray(0, bytes.length);
  };
  return {
    async add(bytes) {
      for (let rest = bytes; rest.length > 0; ) {
        if (size === pieceSize) await append();
        const part = rest.subarray(0, pieceSize - size);
        waiting.set(part, size);
        size += part.length;
        rest = rest.subarray(part.length);
      }
    },
    async finish() {
      if (isInFile || size > kept) await append();
    },
    async read(position, length, into) {
      const bytes = await read(position, length, into);
      if (bytes.length === length) return bytes;
      throw corruptDelta(`${length} bytes at ${position}`, `${bytes.length}`, path);
    },
    async clear() {
      size = 0;
      isInFile = false;
      if (mayBeThere) await files.remove(path);
      mayBeThere = false;
    },
  };
}
