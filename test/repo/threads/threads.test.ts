import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { Contents } from '../../../src/repo/threads/contents.ts';
import { deflateStream } from '../../../src/repo/threads/deflate-stream.ts';
import type { Readable } from '../../../src/repo/threads/slot-filler.ts';
import { Threads } from '../../../src/repo/threads/threads.ts';
import { blockSize } from '../../../src/repo/threads/work.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const large = 64 * 1024 * 1024;
let threads = new Threads(0);
afterEach(() => threads.close());

/** Part text, part noise: it deflates to something between. */
function content(size: number): Buffer {
  const bytes = Buffer.alloc(size, 'some text to deflate ');
  randomBytes(Math.floor(size / 3)).copy(bytes, Math.floor(size / 3));
  return bytes;
}

/** Gives the bytes in pieces: into the room where it may, or its own. */
function readable(bytes: Buffer, pieceSize: number, usesRoom: boolean): Readable {
  return async function* (room) {
    for (let at = 0; at < bytes.length; ) {
      const given = usesRoom ? await room() : Buffer.alloc(pieceSize);
      const length = bytes.copy(given, 0, at, Math.min(at + given.length, at + pieceSize));
      at += length;
      yield given.subarray(0, length);
    }
  };
}

const sha256 = (...parts: Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex');
const sizes = [0, 1, 1000, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize + 7];

describe.each([
  ['on this thread', 0],
  ['on threads', large],
])('%s', (_, work) => {
  test.each([true, false])(
    'digests of contents and of the whole, reading in place: %s',
    async (inPlace) => {
      threads = new Threads(work, 2);
      const contents = new Contents(threads, { whole: true });
      const all: Buffer[] = [];
      const found = new Map<number, string>();
      for (const [index, size] of [...sizes, ...sizes].entries()) {
        const bytes = content(size);
        all.push(bytes, Buffer.from('between'));
        const prefix = Buffer.from(`${index}`);
        const done = (digest: string) => {
          expect(digest).toBe(sha256(prefix, bytes));
          found.set(index, digest);
        };
        await contents.add(readable(bytes, 100_000, inPlace), size, { prefix, done });
        await contents.addBytes(Buffer.from('between'));
      }
      expect(await contents.finish()).toBe(sha256(...all));
      expect(found.size).toBe(2 * sizes.length);
    },
  );

  test('small contents are stored, those of another digest are not', async () => {
    threads = new Threads(work, 2);
    const contents = new Contents(threads);
    const place = mkdtempSync(join(folder, 'store-'));
    const prefix = Buffer.from('p');
    const start = Buffer.from('start');
    for (const [index, size] of sizes.filter(Contents.fits).entries()) {
      const bytes = content(size);
      for (const [name, checksum] of [
        [`${index}`, sha256(prefix, bytes)],
        [`${index}-changed`, sha256(bytes)],
      ] as const) {
        const store = { path: join(place, name), start, checksum };
        const done = (digest: string) => {
          if (name.endsWith('changed')) return;
          expect(digest).toBe(checksum);
          const written = readFileSync(join(place, name));
          expect(written.subarray(0, 5)).toEqual(start);
          expect(inflateRawSync(written.subarray(5)).equals(bytes)).toBe(true);
        };
        await contents.add(readable(bytes, 5000, false), size, { prefix, store, done });
      }
    }
    await contents.finish();
    expect(readdirSync(place).filter((name) => name.endsWith('changed'))).toEqual([]);
  });

  test.each(sizes)('a stream of %i bytes is deflated as one', async (size) => {
    threads = new Threads(work, 2);
    const bytes = content(size);
    // Larger pieces than all slots together.
    for (const piece of [70_000, 100 * blockSize]) {
      const seen = createHash('sha256');
      const written: Buffer[] = [];
      await deflateStream(
        threads,
        readable(bytes, piece, piece < blockSize),
        (each) => seen.update(each),
        (deflated) => written.push(Buffer.from(deflated)),
      );
      expect(inflateRawSync(Buffer.concat(written)).equals(bytes)).toBe(true);
      expect(seen.digest('hex')).toBe(sha256(bytes));
    }
  });

  test('what a thread can not do is an error with the code of the system', async () => {
    threads = new Threads(work, 2);
    const contents = new Contents(threads);
    const bytes = content(10);
    const store = {
      path: join(folder, 'nowhere/file'),
      start: Buffer.of(),
      checksum: sha256(bytes),
    };
    const job = { prefix: Buffer.of(), store, done: () => {} };
    await contents.add(readable(bytes, 10, false), 10, job);
    await expect(contents.finish()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a content that can not be read gives its slots back', async () => {
    threads = new Threads(work, 2);
    const broken: Readable = async function* () {
      yield content(2 * blockSize);
      throw new Error('broken');
    };
    for (let round = 0; round < 30; round += 1) {
      const attempt = deflateStream(
        threads,
        broken,
        () => {},
        () => {},
      );
      await expect(attempt).rejects.toThrow('broken');
    }
  });
});
