import { describe, expect, test } from 'vitest';
import { InvalidGzip } from '../../src/gzip/invalid-gzip.ts';
import { memberHeaderSize } from '../../src/gzip/member.ts';

/** A header with some flags, and what these announce. */
function header(flags: number, ...parts: (string | number[])[]): Buffer {
  const fixed = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 2, 3]);
  return Buffer.concat([fixed, ...parts.map((part) => Buffer.from(part as string))]);
}

describe('the header of a member', () => {
  test.each<[string, Buffer, number]>([
    ['of nothing more', header(0), 10],
    ['of a text', header(1), 10],
    ['with a name', header(8, 'name\0'), 15],
    ['with a comment', header(16, 'remark\0'), 17],
    ['with a name and a comment', header(24, 'name\0', 'remark\0'), 22],
    ['with an extra field', header(4, [3, 0, 1, 2, 3]), 15],
    ['with a checksum', header(2, [1, 2]), 12],
    ['with all of it', header(30, [1, 0, 9], 'n\0', 'c\0', [1, 2]), 19],
  ])('%s', (_, bytes, size) => {
    expect(memberHeaderSize(Buffer.concat([bytes, Buffer.from('behind')]))).toBe(size);
    expect(() => memberHeaderSize(bytes.subarray(0, size - 1))).toThrow(InvalidGzip);
  });

  test.each([
    ['another magic number', Buffer.from([0x1f, 0x8c, 8, 0, 0, 0, 0, 0, 0, 3])],
    ['another method', Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3])],
    ['a flag that is not known', header(32)],
    ['a name without an end', header(8, 'name')],
    ['an extra field beyond the end', header(4, [255, 255])],
    ['nothing', Buffer.alloc(0)],
  ])('%s is none', (_, bytes) => {
    expect(() => memberHeaderSize(bytes)).toThrow(InvalidGzip);
  });
});
