import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compressBody } from '../../src/gzip/compress-body.ts';
import { effortOf } from '../../src/gzip/effort.ts';
import { InvalidGzip } from '../../src/gzip/invalid-gzip.ts';
import { contentOf, contentParts, start } from '../support/compressible.ts';
import { alpineFolder, missing } from '../support/requirements.ts';
import { bodyOf, gzip, headerSize } from './support.ts';

const levels = [4, 5, 6, 7, 8, 9];

async function expectSame(content: Uint8Array, level = 9, step?: number): Promise<void> {
  const body = await bodyOf(content, { level, step });
  expect(body.equals(gzip(content, level).subarray(headerSize))).toBe(true);
}

/** Words that repeat near and far, of any length. */
function text(length: number): Buffer {
  let state = 7;
  const words: string[] = [];
  for (let size = 0; size < length; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const word = `word${(state >>> 16) % 4000} `;
    words.push(word);
    size += word.length;
  }
  return Buffer.from(words.join('').slice(0, length));
}

describe.skipIf(missing('gzip') !== undefined)('what gzip makes', () => {
  test('comes out byte for byte, of whatever kind it is', async () => {
    await fc.assert(
      fc.asyncProperty(contentParts, fc.constantFrom(...levels), async (parts, level) => {
        await expectSame(contentOf(parts), level);
      }),
      { numRuns: Number(process.env.PINE_GZIP_RUNS ?? 60) },
    );
  }, 120_000);

  test.each([0, 1, 2, 3, 4, 5, 258, 259, 262, 263])('of %i bytes', async (length) => {
    await expectSame(Buffer.alloc(length, 7));
    await expectSame(Buffer.from(Array.from({ length }, (_, index) => (index * 37) % 251)));
    await expectSame(Buffer.from(Array.from({ length }, (_, index) => index % 3)));
  });

  test.each(levels)(
    'of a program, level %i',
    async (level) => {
      await expectSame(start(process.execPath, 1_500_000), level);
    },
    30_000,
  );

  // Where the window is full, where it moves, and where the content ends soon behind that.
  test.each([
    32_506, 32_768, 65_274, 65_275, 65_400, 65_535, 65_536, 65_537, 65_797, 65_798, 98_041, 98_042,
    98_043, 98_304, 98_305, 130_900, 131_072, 163_602, 163_726,
  ])('of a text of %i bytes', async (length) => {
    await expectSame(text(length));
    await expectSame(text(length), 6, 4093);
  });

  test('of zeros, and of noise, which is stored', async () => {
    const noise = contentOf([{ kind: 'noise', length: 200_000, byte: 3 }]);
    await expectSame(Buffer.alloc(500_000));
    await expectSame(noise);
    await expectSame(Buffer.concat([text(100_000), noise, Buffer.alloc(70_000), text(3000)]));
  });

  test('of bytes so unlike in number that codes would be too long', async () => {
    const numbers = [1, 1];
    while (numbers.length < 20) numbers.push((numbers.at(-1) ?? 0) + (numbers.at(-2) ?? 0));
    const bytes = Buffer.concat(numbers.map((count, byte) => Buffer.alloc(count, 11 * byte)));
    // Shuffled, so that nothing repeats for long.
    for (let at = bytes.length - 1, state = 1; at > 0; at--) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const other = state % (at + 1);
      const byte = bytes[at] ?? 0;
      bytes[at] = bytes[other] ?? 0;
      bytes[other] = byte;
    }
    await expectSame(bytes);
  });

  test('is told from what another level makes', async () => {
    const content = start(process.execPath, 300_000);
    const body = gzip(content, 6).subarray(headerSize);
    expect((await bodyOf(content, { level: 9 })).equals(body)).toBe(false);
  });
});

describe.skipIf(missing('alpine') !== undefined)('what programs of Alpine make', () => {
  let folder: string;
  let loader: string;
  let busybox: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pine-busybox-'));
    const archive = join(alpineFolder, 'alpine-minirootfs-3.20.3-x86_64.tar.gz');
    const members = ['./bin/busybox', './lib', './sbin/apk'];
    expect(spawnSync('tar', ['xzf', archive, '-C', folder, ...members]).status).toBe(0);
    loader = join(folder, 'lib/ld-musl-x86_64.so.1');
    busybox = [loader, join(folder, 'bin/busybox'), 'gzip'];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([1000, 65_400, 65_536, 98_042, 163_602, 163_726])(
    'busybox: of a text of %i bytes',
    async (length) => {
      const content = text(length);
      for (const level of [6, 9]) {
        const made = await bodyOf(content, { level, program: 'busybox' });
        expect(made.equals(gzip(content, level, busybox).subarray(headerSize))).toBe(true);
      }
    },
  );

  test('busybox: not always what gzip makes, at the end', async () => {
    const content = text(163_726);
    const [one, other] = [await bodyOf(content), await bodyOf(content, { program: 'busybox' })];
    expect(one.equals(other)).toBe(false);
  });

  test('apk: of an index, by zlib', async () => {
    const packages = join(alpineFolder, 'apks/x86_64');
    const apks = readdirSync(packages).filter((name) => name.endsWith('.apk'));
    const index = join(folder, 'index.tar.gz');
    const args = ['--library-path', join(folder, 'lib'), join(folder, 'sbin/apk'), 'index'];
    args.push('--allow-untrusted', '--output', index, ...apks.map((name) => join(packages, name)));
    expect(spawnSync(loader, args).status).toBe(0);
    const made = readFileSync(index);
    const body = await bodyOf(gunzipSync(made), { program: 'zlib' });
    expect(body.equals(made.subarray(headerSize))).toBe(true);
  });
});

describe.skipIf(missing('python') !== undefined)('what zlib makes', () => {
  /** Given to it in pieces of `step` bytes. */
  function zlib(content: Uint8Array, level: number, step = 1 << 30): Buffer {
    const script = `
import sys, zlib
content = sys.stdin.buffer.read()
level, step = int(sys.argv[1]), int(sys.argv[2])
z = zlib.compressobj(level, zlib.DEFLATED, 31, 8)
for at in range(0, len(content), step):
    sys.stdout.buffer.write(z.compress(content[at:at + step]))
sys.stdout.buffer.write(z.flush())`;
    const args = ['-c', script, `${level}`, `${step}`];
    const { stdout, status } = spawnSync('python3', args, { input: content, maxBuffer: 64 << 20 });
    expect(status).toBe(0);
    return stdout.subarray(headerSize);
  }

  test('comes out byte for byte, of whatever kind it is', async () => {
    await fc.assert(
      fc.asyncProperty(contentParts, fc.constantFrom(...levels), async (parts, level) => {
        const content = contentOf(parts);
        const made = await bodyOf(content, { level, program: 'zlib' });
        expect(made.equals(zlib(content, level))).toBe(true);
      }),
      { numRuns: Number(process.env.PINE_GZIP_RUNS ?? 60) },
    );
  }, 120_000);

  test.each([
    0, 1, 2, 3, 4, 5, 258, 259, 262, 263, 65_274, 65_275, 65_400, 65_797, 98_042, 163_726,
  ])('of %i bytes', async (length) => {
    for (const content of [text(length), Buffer.alloc(length, 7)]) {
      const made = await bodyOf(content, { program: 'zlib' });
      expect(made.equals(zlib(content, 9))).toBe(true);
      expect(made.equals(zlib(content, 9, 4093))).toBe(true);
    }
  });

  test.each(levels)(
    'of a program, level %i',
    async (level) => {
      const content = start(process.execPath, 1_500_000);
      const made = await bodyOf(content, { level, program: 'zlib' });
      expect(made.equals(zlib(content, level))).toBe(true);
      // Its blocks are shorter than those of gzip.
      expect(made.equals(await bodyOf(content, { level }))).toBe(false);
    },
    30_000,
  );
});

test('content that ends before it should is told', async () => {
  const source = async function* () {
    yield Buffer.alloc(100);
  };
  const effort = effortOf(9);
  if (effort === undefined) throw new RangeError('level 9');
  const all = async () => {
    for await (const _ of compressBody(source(), 101, effort, 'gzip'));
  };
  await expect(all()).rejects.toThrow(InvalidGzip);
  // What was left of it does not show in what comes next.
  const content = text(5000);
  expect((await bodyOf(content)).equals(await bodyOf(content))).toBe(true);
});
