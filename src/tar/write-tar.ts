import type { Xattr } from '../repo/tree.ts';
import { blockSize } from './header.ts';
import { encodePaxRecords, encodeXattrName, xattrKeyword } from './pax-records.ts';

/** The two blocks of zeros that end a tar. */
export const tarEnd = Buffer.alloc(2 * blockSize);

/** What stands before an entry's content. Names of owners and the like are left empty. */
export interface WrittenEntry {
  /** Without a slash before it; a folder's has one behind it. */
  readonly name: string;
  readonly type: '0' | '2' | '5';
  /** A symbolic link's target; else `''`. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content, which follow with `fillUp` behind them. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly xattrs: readonly Xattr[];
}

/**
 * The header of an entry, as POSIX ustar where that holds everything, with a pax header before it where
 * it does not. Equal entries give equal bytes. Source: POSIX.1-2017, pax.
 */
export function encodeEntry(entry: WrittenEntry): Buffer {
  const { name, target, uid, gid, size, time, xattrs } = entry;
  const records: (readonly [string, Uint8Array])[] = [];
  const text = (key: string, value: string, fits: boolean) => {
    if (!fits) records.push([key, Buffer.from(value)]);
    return fits ? value : '';
  };
  const number = (key: string, value: number, largest: number) =>
    Number(text(key, String(value), value <= largest));
  const header = {
    name: text('path', name, isShort(name)),
    target: text('linkpath', target, isShort(target)),
    uid: number('uid', uid, 0o7777777),
    gid: number('gid', gid, 0o7777777),
    size: number('size', size, 0o77777777777),
    time: number('mtime', time, 0o77777777777),
  };
  for (const xattr of xattrs)
    records.push([xattrKeyword + encodeXattrName(xattr.name), xattr.value]);
  const own = encodeHeader({ ...entry, ...header });
  if (records.length === 0) return own;
  const extension = encodePaxRecords(records);
  const nothing = { target: '', mode: 0o644, uid: 0, gid: 0, time: 0 };
  const before = encodeHeader({ ...nothing, name: 'PaxHeader', type: 'x', size: extension.length });
  return Buffer.concat([before, extension, fillUp(extension.length), own]);
}

/** The zeros behind a content of this many bytes. */
export function fillUp(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

/** Other than ASCII, ustar does not say which letters a name's bytes are. */
function isShort(name: string): boolean {
  return name.length <= 100 && Buffer.byteLength(name) === name.length;
}

function encodeHeader(entry: Omit<WrittenEntry, 'type' | 'xattrs'> & { readonly type: string }) {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, width: number) =>
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
  block.write(entry.name, 0, 'latin1');
  octal(entry.mode & 0o7777, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(entry.time, 136, 12);
  block.write('        ', 148, 'latin1'); // The sum counts its own field as blanks.
  block.write(entry.type, 156, 'latin1');
  block.write(entry.target, 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
