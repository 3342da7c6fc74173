import { type ErrorCode, PineError } from '../error.ts';

/** What an image can hold. A tree beyond one of these is refused, never bent. */
export const limits = {
  /** Bytes of a name in a directory (squashfs). */
  nameBytes: 256,
  /** Bytes of a link target: what a Linux kernel reads in one page. */
  targetBytes: 4095,
  /** Bytes of one file. Its block list alone takes 64 MiB then. */
  fileBytes: 2 ** 38,
  /** Files, links and directories. Bounds what a plan has in memory when it is made (S9). */
  inodes: 2 ** 20,
  /** Directories inside each other. */
  depth: 2048,
  /** Different user and group ids together (squashfs). */
  ids: 65535,
  /** Bytes of an extended attribute's name and value (Linux). */
  xattrNameBytes: 255,
  xattrValueBytes: 65536,
  /** Bytes of all extended attributes of one inode. */
  xattrSetBytes: 2 ** 20,
  /** Bytes of one metadata table. */
  tableBytes: 2 ** 30,
  /** Seconds since 1970: squashfs has 32 bits for them. */
  time: 0xffffffff,
} as const;

/** Refuses a tree that no image can hold. */
export function refuseTree(
  code: ErrorCode,
  summary: string,
  details: { expected: string; found: string; where: string; remedy?: string },
): never {
  throw new PineError(code, summary, {
    remedy: 'change the tree and commit it again',
    ...details,
  });
}
