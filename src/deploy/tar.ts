import type { FileStatus } from '../ports/file-system.ts';

/** The two blocks of zeros that end a tar. */
export const tarEnd = Buffer.alloc(1024);

/**
 * One file as a member of a tar (POSIX ustar), its folders implied; `undefined` when its name is too long for
 * the format. Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
export function tarFile(
  name: string,
  bytes: Uint8Array,
  status: Pick<FileStatus, 'mode' | 'uid' | 'gid' | 'mtime'>,
): Buffer | undefined {
  if (Buffer.byteLength(name) > 100) return undefined;
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  header.write(name, 0);
  octal(status.mode & 0o7777, 100, 8);
  octal(status.uid, 108, 8);
  octal(status.gid, 116, 8);
  octal(bytes.length, 124, 12);
  octal(status.mtime, 136, 12);
  header.write('        ', 148, 'latin1'); // the checksum counts itself as blanks
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([header, bytes, padding]);
}
