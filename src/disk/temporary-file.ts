import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { BlockDevice } from '../ports/block-device.ts';
import { emptyFile } from './empty-file.ts';
import { shortRead } from './short-read.ts';

/**
 * Makes a new file of `size` zeros, lets `use` write and read it, and removes it. Reading past its end throws
 * IO_SHORT_READ.
 */
export async function withTemporaryFile<T>(
  path: string,
  size: number,
  use: (file: BlockDevice) => Promise<T>,
): Promise<T> {
  // What a kill left over; the caller is the only one who writes here.
  await rm(path, { force: true });
  try {
    await emptyFile(path, size, { isNew: true });
    const file = openTemporary(path, size);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Called synchronously: what is read was written a moment ago and is in the page cache still, where Node's threads would
 * take ten times as long for each call.
 */
function openTemporary(path: string, size: number): BlockDevice {
  const file = openSync(path, 'r+');
  return {
    size,
    async read(position, length, into = Buffer.allocUnsafe(length)) {
      const bytes = into.subarray(0, length);
      for (let done = 0; done < length; ) {
        const count = readSync(file, bytes, done, length - done, position + done);
        if (count === 0) throw shortRead(path, position, length, done);
        done += count;
      }
      return bytes;
    },
    async write(position, bytes) {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, bytes.length - done, position + done);
      }
    },
    flush: async () => fdatasyncSync(file),
    close: async () => closeSync(file),
  };
}
