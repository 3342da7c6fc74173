import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeltaFile } from '../../src/delta/decode/delta-file.ts';
import { openDelta } from '../../src/delta/decode/delta-file.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import type { Compression } from '../../src/delta/format/delta-format.ts';
import { decodeHeader, encodeHeader } from '../../src/delta/format/header.ts';
import { signDelta } from '../../src/delta/sign-delta.ts';
import { PineError } from '../../src/error.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import {
  applyDelta,
  codeOf,
  deltaBytes,
  makeImage,
  openBytes,
  type TestImage,
} from './support/image-pair.ts';
import { makeElf } from './support/small-elf.ts';

let from: TestImage;
let to: TestImage;
let file: Buffer;

beforeAll(async () => {
  const grown = [3, 40, 5, 6, 90, 8];
  from = await makeImage(
    { p: makeElf({ functions: [3, 4, 5, 6, 7, 8], seed: 2 }), same: 'x' },
    'a',
  );
  to = await makeImage({ p: makeElf({ functions: grown, seed: 2 }), new: 'new', same: 'x' }, 'b');
  file = deltaBytes((await encodeDelta(from, to)).delta);
});

/** Bytes as zstd has them without compressing any, in a frame that asks for a window of so many bits. */
function zstdFrame(bytes: Buffer, window: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3, 0, 0, 0]);
  header.writeUIntLE((bytes.length << 3) | 1, 6, 3);
  return Buffer.concat([header, bytes]);
}

/** Applies, and says how it ended: the code of the error, `right`, or `wrong` for other bytes. */
async function ending(open: () => Promise<DeltaFile>): Promise<string> {
  try {
    const { bytes } = await applyDelta(await open(), from.reader);
    return bytes.equals(to.bytes) ? 'right' : 'wrong';
  } catch (error) {
    if (error instanceof PineError) return error.code;
    throw error;
  }
}

describe('a damaged delta', () => {
  test('with any byte changed ends in an error, or is for other commits', async () => {
    for (let at = 0; at < file.length; at++) {
      const damaged = Buffer.from(file);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const found = await ending(() => openBytes(damaged));
      // What is neither hashed by the header nor a size: the two commits and digests, which a signature covers.
      const isName = at >= 16 && at < 160;
      expect(found, `byte ${at}`).toBe(isName && found === 'right' ? 'right' : 'CORRUPT_DELTA');
    }
  });

  test('cut anywhere ends in CORRUPT_DELTA', async () => {
    for (let length = 0; length < file.length; length += 3) {
      expect(await ending(() => openBytes(file.subarray(0, length)))).toBe('CORRUPT_DELTA');
    }
    expect(await ending(() => openBytes(Buffer.concat([file, Buffer.alloc(1)])))).toBe(
      'CORRUPT_DELTA',
    );
  });

  test('with its pieces in another order ends in CORRUPT_DELTA', async () => {
    const { streams } = (await openBytes(file)).header;
    const [one, other] = [streams.differences.size, streams.literals.size];
    const start = file.length - one - other;
    const swapped = Buffer.concat([
      file.subarray(0, start),
      file.subarray(start + one),
      file.subarray(start, start + one),
    ]);
    expect(await ending(() => openBytes(swapped))).toBe('CORRUPT_DELTA');
  });

  test('of another base makes another image, and never reads beyond it', async () => {
    const base = await makeImage({ p: 'something else' }, 'c');
    const code = await codeOf(applyDelta(await openBytes(file), base.reader));
    expect(code).toBe('CORRUPT_DELTA');
    const longer = bytesReader(Buffer.alloc(from.image.size, 7));
    const { bytes } = await applyDelta(await openBytes(file), longer);
    expect(createHash('sha256').update(bytes).digest('hex')).not.toBe(to.image.sha256);
    expect(bytes.length).toBe(to.image.size);
  });
});

describe('S5: a delta is believed when a trusted key signed it', () => {
  test('and not before', async () => {
    const { secretKey, publicKey } = await generateKeyPair('release');
    const other = await generateKeyPair('other');
    const { delta } = await encodeDelta(from, to);
    const signed = Buffer.concat(await signDelta(delta, [other.secretKey, secretKey]));
    const opened = await openDelta(bytesReader(signed), [publicKey], 'signed');
    expect(opened.signedBy).toBe('release');
    expect((await applyDelta(opened, from.reader)).bytes.equals(to.bytes)).toBe(true);
    const third = await generateKeyPair('third');
    const open = (bytes: Buffer, keys = [publicKey]) => openDelta(bytesReader(bytes), keys, 'x');
    expect(await codeOf(open(signed, [third.publicKey]))).toBe('TRUST_UNKNOWN_KEY');
    expect(await codeOf(open(file))).toBe('TRUST_NO_SIGNATURE');
    const { header } = delta;
    for (let at = 0; at < header.length; at++) {
      const damaged = Buffer.from(signed);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(await codeOf(open(damaged))).toMatch(/^(TRUST_UNKNOWN_KEY|CORRUPT_DELTA)$/);
    }
  });
});

describe('streams that lie, although every hash is right', () => {
  test('sizes beyond the image are refused before they are read', async () => {
    const header = decodeHeader(file.subarray(0, file.readUInt32LE(12)), 'x');
    const { streams } = header;
    const bomb = { ...streams, literals: { ...streams.literals, plainSize: 2 ** 40 } };
    const code = await codeOf(
      Promise.resolve().then(() => decodeHeader(encodeHeader({ ...header, streams: bomb }), 'x')),
    );
    expect(code).toBe('CORRUPT_DELTA');
  });

  test('a window above 1 MiB, and what decompresses to more than the header says, are refused', async () => {
    const other = async (
      literals: Buffer,
      plainSize: number,
      compression: Compression = 'brotli',
    ): Promise<string> => {
      const header = decodeHeader(file.subarray(0, file.readUInt32LE(12)), 'x');
      const hashes = Buffer.concat(
        Array.from({ length: Math.ceil(literals.length / 65536) }, (_, piece) =>
          createHash('sha256')
            .update(literals.subarray(65536 * piece, 65536 * (piece + 1)))
            .digest(),
        ),
      );
      const lying = { compression, plainSize, size: literals.length, hashes };
      const streams = { ...header.streams, literals: lying };
      const start = encodeHeader({ ...header, streams });
      const rest = file.subarray(file.readUInt32LE(12), -header.streams.literals.size);
      return ending(() => openBytes(Buffer.concat([start, rest, literals])));
    };
    const { plainSize } = (await openBytes(file)).header.streams.literals;
    const brotli = (bytes: Buffer, window: number) =>
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_LGWIN]: window,
          [constants.BROTLI_PARAM_QUALITY]: 2,
        },
      });
    const plain = Buffer.alloc(plainSize);
    await (await openBytes(file)).stream('literals').readInto(plain);
    for (const window of [10, 16, 17, 20])
      expect(await other(brotli(plain, window), plainSize)).toBe('right');
    for (const window of [21, 24]) {
      expect(await other(brotli(plain, window), plainSize)).toBe('CORRUPT_DELTA');
    }
    for (const window of [17, 20]) {
      expect(await other(zstdFrame(plain, window), plainSize, 'zstd')).toBe('right');
    }
    expect(await other(zstdFrame(plain, 21), plainSize, 'zstd')).toBe('CORRUPT_DELTA');
    expect(await other(zstdFrame(plain, 17), plainSize, 'brotli')).toBe('CORRUPT_DELTA');
    // 256 MiB of zeros in a few bytes.
    const zeros = Buffer.alloc(256 << 20);
    const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_windowLog]: 20 };
    const bombs = { brotli: brotli(zeros, 20), zstd: zstdCompressSync(zeros, { params }) };
    const before = process.memoryUsage().rss;
    for (const compression of ['brotli', 'zstd'] as const) {
      const bomb = bombs[compression];
      expect(bomb.length).toBeLessThan(40_000);
      expect(await other(bomb, plainSize, compression)).toBe('CORRUPT_DELTA');
      expect(await other(bomb, 16 * to.image.size, compression)).toBe('CORRUPT_DELTA');
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });

  test.each([
    [1, 'make it again'],
    [5, 'take a newer pinectl'],
  ])('version %i, which is not known, is named', async (version, remedy) => {
    const other = Buffer.from(file);
    other.writeUInt32LE(version, 8);
    await expect(openBytes(other)).rejects.toMatchObject({
      code: 'CORRUPT_DELTA',
      details: {
        expected: 'version 3 to 4',
        found: `version ${version}`,
        remedy: expect.stringContaining(remedy),
      },
    });
  });
});
