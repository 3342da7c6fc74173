import { describe, expect, test } from 'vitest';
import { expandBody } from '../../src/gzip/expand-body.ts';
import { InvalidGzip } from '../../src/gzip/invalid-gzip.ts';
import { bodyOf } from './support.ts';

async function expand(body: Uint8Array): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const read = async (at: number, length: number) => body.subarray(at, at + length);
  for await (const piece of expandBody(read, body.length)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) >> 5));

describe('a body', () => {
  test('gives its content', async () => {
    expect((await expand(await bodyOf(content))).equals(content)).toBe(true);
    expect(await expand(await bodyOf(Buffer.alloc(0)))).toHaveLength(0);
  });

  test.each<[string, (body: Buffer) => Buffer]>([
    ['cut', (body) => body.subarray(0, body.length - 1)],
    ['cut by half', (body) => body.subarray(0, body.length >> 1)],
    ['with bytes behind it', (body) => Buffer.concat([body, Buffer.alloc(1)])],
    ['with another behind it', (body) => Buffer.concat([body, body])],
    ['of nothing', () => Buffer.alloc(0)],
    ['of a trailer alone', () => Buffer.alloc(8)],
    ['of something else', () => Buffer.alloc(1000, 255)],
  ])('%s is none', async (_, change) => {
    await expect(expand(change(await bodyOf(content)))).rejects.toThrow(InvalidGzip);
  });

  test('an error of reading stays what it is', async () => {
    const read = async () => {
      throw new RangeError('no such place');
    };
    const all = async () => {
      for await (const _ of expandBody(read, 100));
    };
    await expect(all()).rejects.toThrow(RangeError);
  });
});
