import { corruptTar } from './corrupt-tar.ts';

/** A tar's unit: headers are one block, contents are filled up to whole ones. */
export const blockSize = 512;

/** One header block. Names are bytes: it is for others to judge what they are. */
export interface TarHeader {
  readonly name: Buffer;
  readonly linkName: Buffer;
  /** One letter: `0` file, `1` hard link, `2` symbolic link, `5` folder, … */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
}

/**
 * Reads a header block in POSIX ustar, GNU or the old form.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format" (numbers in
 * base 256). Throws CORRUPT_TAR.
 */
export function decodeHeader(block: Buffer, offset: number): TarHeader {
  checkSum(block, offset);
  const field = (at: number, length: number) => upToNul(block.subarray(at, at + length));
  const number = (at: number, length: number) =>
    decodeNumber(block.subarray(at, at + length), offset + at);
  // GNU's magic is `ustar  `; it has other fields where POSIX has the prefix.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? field(345, 155) : Buffer.of();
  const name = field(0, 100);
  const type = block.toString('latin1', 156, 157).replace('\0', '0');
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    linkName: field(157, 100),
    type,
    mode: number(100, 8) & 0o7777,
    uid: number(108, 8),
    gid: number(116, 8),
    // Old writers give a hard link the size of its target, but no content.
    size: type === '1' || type === '2' || type === '5' ? 0 : number(124, 12),
  };
}

/** The sum counts its own field as blanks; some old writers added signed bytes. */
function checkSum(block: Buffer, offset: number): void {
  const expected = decodeNumber(block.subarray(148, 156), offset + 148);
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (const [at, byte] of block.entries()) {
    if (at >= 148 && at < 156) continue;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (expected === unsigned || expected === signed) return;
  throw corruptTar('this is no header of a tar', `the sum ${unsigned}`, `${expected}`, offset);
}

/** Octal digits, or in GNU's way a big-endian number whose first bit is set. */
function decodeNumber(bytes: Buffer, offset: number): number {
  const first = bytes[0] ?? 0;
  if (first === 0x80) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    if (Number.isSafeInteger(value)) return value;
  }
  const text = bytes
    .toString('latin1')
    .replace(/^ +/, '')
    .replace(/[\0 ].*$/s, '');
  if (/^[0-7]*$/.test(text)) return Number.parseInt(text || '0', 8);
  throw corruptTar(
    'a header has a number that is none',
    'octal digits',
    JSON.stringify(text),
    offset,
  );
}

function upToNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
