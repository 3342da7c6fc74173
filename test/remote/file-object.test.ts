import { createHash, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fileObjectLimit, readFileObject } from '../../src/remote/file-object.ts';
import { encodeFileHeader, type FileHeader, fileObjectHash } from '../../src/repo/file-header.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { collect } from './loopback-server.ts';

const plain = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [] };

/** A .filez and its name. */
function objectOf(content: Buffer, level = 6, header: Omit<FileHeader, 'size'> = plain) {
  const bytes = Buffer.concat([
    encodeFileHeader({ ...header, size: content.length }),
    deflateRawSync(content, { level }),
  ]);
  const checksum = fileObjectHash(header).update(content).digest('hex');
  return { bytes, object: { checksum, length: content.length, where: 'test.filez' } };
}

/** The bytes in pieces of this length, and whether the reader let go of them. */
function streamOf(bytes: Uint8Array, pieceLength: number) {
  const state = { closed: false, taken: 0 };
  const pieces = async function* () {
    try {
      for (let at = 0; at < bytes.length; at += pieceLength) {
        state.taken = at + pieceLength;
        yield bytes.subarray(at, at + pieceLength);
      }
    } finally {
      state.closed = true;
    }
  };
  return { stream: pieces(), state };
}

describe('reading a .filez', () => {
  const text = Buffer.from('a line of text\n'.repeat(50_000));
  const contents: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['a small file', randomBytes(5000)],
    ['64 KiB that do not compress', randomBytes(65_536)],
    ['a large file that compresses well', text],
    ['a large file that does not', randomBytes(1_000_000)],
  ];

  it.each(contents)('gives the content of %s, however it is cut', async (_, content) => {
    for (const level of [0, 1, 9]) {
      const { bytes, object } = objectOf(content, level);
      expect(bytes.length).toBeLessThanOrEqual(fileObjectLimit(content.length));
      for (const pieceLength of content.length > 100_000 ? [999, 65_536] : [1, 7, 65_536]) {
        const { stream, state } = streamOf(bytes, pieceLength);
        expect((await collect(readFileObject(stream, object))).equals(content)).toBe(true);
        expect(state.closed).toBe(true);
      }
    }
  });

  it('takes ownership, mode and xattrs into account, since the checksum does', async () => {
    const value = Buffer.from('0100000202', 'hex');
    const header = {
      ...plain,
      uid: 1000,
      mode: 0o104755,
      xattrs: [{ name: 'security.capability', value }],
    };
    const { bytes, object } = objectOf(Buffer.from('su'), 6, header);
    const good = readFileObject(streamOf(bytes, 9).stream, object);
    expect((await collect(good)).toString()).toBe('su');
    const other = objectOf(Buffer.from('su')).object;
    const bad = readFileObject(streamOf(bytes, 9).stream, other);
    await codeOfAsync(() => collect(bad), 'CORRUPT_OBJECT');
  });

  it.each(contents.slice(2))('S5: sees any one changed byte in %s', async (_, content) => {
    const { bytes, object } = objectOf(content);
    for (let run = 0; run < 40; run += 1) {
      const altered = Buffer.from(bytes);
      const at = createHash('sha256').update(`${run}`).digest().readUInt32LE() % bytes.length;
      altered.writeUInt8((altered.readUInt8(at) ^ (1 << (run % 8))) & 0xff, at);
      const read: Uint8Array[] = [];
      try {
        for await (const piece of readFileObject(streamOf(altered, 4096).stream, object)) {
          read.push(piece);
        }
        // The unused bits at the end of a deflate stream mean nothing: only the content counts.
        expect(Buffer.concat(read).equals(content)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^CORRUPT_(OBJECT|GVARIANT)$/) });
      }
      expect(Buffer.concat(read).length).toBeLessThanOrEqual(content.length);
    }
  });

  it('S5: sees where it is cut short, anywhere', async () => {
    const { bytes, object } = objectOf(randomBytes(300));
    for (let length = 0; length < bytes.length; length += 1) {
      const stream = streamOf(bytes.subarray(0, length), 64).stream;
      const error = await collect(readFileObject(stream, object)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, `cut at ${length}`).toMatchObject({
        code: expect.stringMatching(/^CORRUPT_(OBJECT|GVARIANT)$/),
      });
    }
  });

  it.each([1000, 100_000])('S5: never inflates more than %i bytes that are due', async (length) => {
    const bomb = objectOf(Buffer.alloc(50_000_000)).bytes;
    const header = encodeFileHeader({ ...plain, size: length });
    const bytes = Buffer.concat([
      header,
      bomb.subarray(encodeFileHeader({ ...plain, size: 5e7 }).length),
    ]);
    const { stream, state } = streamOf(bytes, 1024);
    let read = 0;
    const object = { checksum: '00'.repeat(32), length, where: 'bomb' };
    const error = await codeOfAsync(async () => {
      for await (const piece of readFileObject(stream, object)) read += piece.length;
    }, 'CORRUPT_OBJECT');
    expect(read).toBeLessThanOrEqual(length);
    // Inflated at once, it was stopped by zlib and not found to be too long afterwards.
    if (length === 1000) expect(error.details.found).toContain('larger than 1001 bytes');
    expect(state.closed).toBe(true);
  });

  it('S5: refuses a header of 15 MB before it reads it', async () => {
    const bytes = Buffer.alloc(15_000_000);
    bytes.writeUInt32BE(15_000_000 - 8, 0);
    const { stream, state } = streamOf(bytes, 65_536);
    const object = { checksum: '00'.repeat(32), length: 1, where: 'test' };
    await codeOfAsync(() => collect(readFileObject(stream, object)), 'CORRUPT_OBJECT');
    expect(state.taken).toBe(65_536);
  });

  it('refuses a symbolic link, and a file of another length', async () => {
    const link = { ...plain, mode: 0o120777, target: '/etc/shadow' };
    // With the content of an empty file behind it, so that nothing but its mode is wrong.
    const bytes = Buffer.concat([encodeFileHeader({ ...link, size: 0 }), deflateRawSync('')]);
    const object = { checksum: fileObjectHash(link).digest('hex'), length: 0, where: 'link' };
    await codeOfAsync(
      () => collect(readFileObject(streamOf(bytes, 99).stream, object)),
      'CORRUPT_OBJECT',
    );
    const file = objectOf(Buffer.from('four'));
    for (const length of [0, 3, 5]) {
      const stream = streamOf(file.bytes, 99).stream;
      const wrong = { ...file.object, length };
      await codeOfAsync(() => collect(readFileObject(stream, wrong)), 'CORRUPT_OBJECT');
    }
  });

  it('passes on what the stream itself throws, and lets go of it when the reader stops', async () => {
    const { bytes, object } = objectOf(randomBytes(1_000_000));
    const failing = async function* () {
      yield bytes.subarray(0, 500_000);
      throw new Error('the network');
    };
    await expect(collect(readFileObject(failing(), object))).rejects.toThrow('the network');
    const { stream, state } = streamOf(bytes, 10_000);
    for await (const _ of readFileObject(stream, object)) break;
    expect(state.closed).toBe(true);
  });
});
