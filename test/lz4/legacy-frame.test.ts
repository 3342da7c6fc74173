import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidLz4 } from '../../src/lz4/invalid-lz4.ts';
import {
  compressLegacyFrame,
  expandLegacyFrame,
  legacyBlockSize,
  legacyBlocks,
} from '../../src/lz4/legacy-frame.ts';
import type { ReadBytes } from '../../src/ports/read-bytes.ts';
import { contentOf, contentParts, start } from '../support/compressible.ts';
import { missing } from '../support/requirements.ts';

const cacheFolder = process.env.PINE_CACHE ?? new URL('../../.cache', import.meta.url).pathname;
const [kernel] = globSync('bench/debian-update/*/boot/vmlinuz-*', { cwd: cacheFolder });

/** What `lz4 -l` makes of something. */
function real(content: Uint8Array, level = 9): Buffer {
  const { stdout, status } = spawnSync('lz4', ['-l', `-${level}`, '-c'], {
    input: content,
    maxBuffer: 64 << 20,
  });
  expect(status).toBe(0);
  return stdout;
}

function reader(bytes: Uint8Array): ReadBytes {
  return async (position, length) => bytes.subarray(position, position + length);
}

async function expand(frame: Uint8Array): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of expandLegacyFrame(reader(frame), frame.length)) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** The frame that comes out when content is compressed again, block sizes as in `frame`; in pieces of `step` bytes. */
async function again(content: Uint8Array, frame: Uint8Array, step = 50_000): Promise<Buffer> {
  const sizes = await legacyBlocks(reader(frame), frame.length);
  const source = async function* () {
    for (let at = 0; at < content.length; at += step) yield content.subarray(at, at + step);
  };
  const pieces: Buffer[] = [];
  const next = async () => sizes.shift() ?? 0;
  for await (const piece of compressLegacyFrame(source(), content.length, next)) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

async function expectSame(content: Uint8Array): Promise<void> {
  const frame = real(content);
  expect((await expand(frame)).equals(content)).toBe(true);
  expect((await again(content, frame)).equals(frame)).toBe(true);
}

describe.skipIf(missing('lz4') !== undefined)('what lz4 -l -9 makes', () => {
  test('comes out again byte for byte, of whatever kind it is', async () => {
    await fc.assert(
      fc.asyncProperty(contentParts, async (parts) => {
        const content = contentOf(parts);
        if (content.length > 0) await expectSame(content);
      }),
      { numRuns: Number(process.env.PINE_LZ4_RUNS ?? 60) },
    );
  }, 60_000);

  test.each([1, 4, 5, 11, 12, 13, 14, 17, 18, 19, 20, 40])('of %i bytes', async (length) => {
    await expectSame(Buffer.alloc(length, 7));
    await expectSame(Buffer.from(Array.from({ length }, (_, index) => (index * 37) % 251)));
    await expectSame(Buffer.from(Array.from({ length }, (_, index) => index % 3)));
  });

  test('of a program, in two blocks', async () => {
    await expectSame(start(process.execPath, legacyBlockSize + 700_000));
  }, 30_000);

  test('of runs and noise as long as a block', async () => {
    await expectSame(Buffer.alloc(legacyBlockSize + 5));
    const noise = contentOf([{ kind: 'noise', length: 300_000, byte: 3 }]);
    await expectSame(Buffer.concat([noise, Buffer.alloc(300_000, 1), noise.subarray(1000)]));
  }, 30_000);

  test.each([4096, 700_001])('of what is longer than the window, in pieces of %i', async (step) => {
    const noise = contentOf([{ kind: 'noise', length: 700_000, byte: 3 }]);
    const period = noise.subarray(0, 50_000);
    const content = Buffer.concat([
      noise,
      Buffer.alloc(1_500_000),
      noise.subarray(5),
      ...Array.from({ length: 30 }, () => period),
      Buffer.alloc(600_000, 204),
      noise.subarray(0, 300_000),
      // Over the end of the block.
      Buffer.alloc(legacyBlockSize - 5_000_000),
      noise,
    ]);
    expect(content.length).toBeGreaterThan(legacyBlockSize);
    const frame = real(content);
    expect((await again(content, frame, step)).equals(frame)).toBe(true);
  });

  test('is told from what another level makes', async () => {
    const content = start(process.execPath, 400_000);
    await expect(again(content, real(content, 3))).rejects.toThrow(InvalidLz4);
    expect((await expand(real(content, 3))).equals(content)).toBe(true);
  });
});

describe.skipIf(kernel === undefined)('a kernel of Debian', () => {
  test('has a payload that comes out again byte for byte', async () => {
    const file = readFileSync(join(cacheFolder, kernel ?? ''));
    const at = ((file[0x1f1] ?? 0) + 1) * 512 + file.readUInt32LE(0x248);
    const frame = file.subarray(at, at + file.readUInt32LE(0x24c) - 4);
    const content = await expand(frame);
    expect(content.length).toBe(file.readUInt32LE(at + frame.length));
    // All of it takes long on a machine that does much else.
    const size = process.env.PINE_FULL === '1' ? content.length : 2 * legacyBlockSize;
    const made = await again(content.subarray(0, size), frame);
    expect(made.equals(frame.subarray(0, made.length))).toBe(true);
    expect(made.length).toBeGreaterThan(size / 8);
  }, 60_000);
});

describe('frames by hand', () => {
  const block = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex');
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x184c2102);
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
  };

  test('a match may reach into what it makes', async () => {
    const frame = block(`17${hex('a')}0100${'50'}${hex('bcdef')}`);
    expect((await expand(frame)).toString()).toBe(`${'a'.repeat(12)}bcdef`);
  });

  test.each([
    ['a match from before the block', block(`17${hex('a')}0200${'50'}${hex('bcdef')}`)],
    ['a match of no distance', block(`17${hex('a')}0000${'50'}${hex('bcdef')}`)],
    ['an end within literals', block(`50${hex('bcd')}`)],
    ['an end behind a match', block(`17${hex('a')}0100`)],
    ['an end within a distance', block(`17${hex('a')}01`)],
    ['an end within a length', block(`f0ffff`)],
    ['a block without bytes', block('')],
    ['another magic number', Buffer.from('0221 4c19 0100 0000 00'.replaceAll(' ', ''), 'hex')],
    ['less than a magic number', Buffer.from('02214c', 'hex')],
    ['a block beyond the end', block('00').subarray(0, 8)],
    ['a piece of a size', Buffer.concat([block('00'), Buffer.alloc(3, 1)])],
    // 8.4 million zeros in 33 KB.
    [
      'more bytes than a block has',
      block(`1f${hex('a')}0100${'ff'.repeat(33_000)}0050${hex('bcdef')}`),
    ],
    ['a length beyond any block', block(`1f${hex('a')}0100${'ff'.repeat(70_000)}`)],
  ])('%s is no LZ4', async (_, frame) => {
    await expect(expand(frame)).rejects.toThrow(InvalidLz4);
  });
});

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
