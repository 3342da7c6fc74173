import { isUtf8 } from 'node:buffer';

/**
 * Linux names are bytes, and not all are UTF-8. As text, a byte that belongs to no UTF-8 letter is written as the
 * lone surrogate U+DC00 + byte (as Python's `surrogateescape` does), so that every name has a text and comes back from it.
 */

/** The text of a name or path that the system gave. */
export function pathFromBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = letterLength(bytes, at);
    parts.push(
      length === 0
        ? String.fromCharCode(0xdc00 + bytes.readUInt8(at))
        : bytes.toString('utf8', at, at + length),
    );
    at += Math.max(length, 1);
  }
  return parts.join('');
}

/** Bytes of the UTF-8 letter that begins at `at`; 0 when none does. */
function letterLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}

/** The bytes that the system knows a path by. */
export function bytesOfPath(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path);
  const parts = path.split(/([\udc80-\udcff])/u);
  return Buffer.concat(
    parts.map((part) => {
      const escaped = /^[\udc80-\udcff]$/u.test(part);
      return escaped ? Buffer.of(part.charCodeAt(0) - 0xdc00) : Buffer.from(part);
    }),
  );
}

/** The order of names by their bytes: that of folders, of OSTree and of squashfs. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(bytesOfPath(a), bytesOfPath(b));
}
