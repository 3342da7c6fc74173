import { compareBytes } from '../../repo/tree.ts';

/** Something that an initramfs holds. `path` is relative: `bin/busybox`. */
export type CpioEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly permissions: number;
      readonly content: Uint8Array;
    }
  | { readonly kind: 'directory'; readonly path: string; readonly permissions: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly permissions: number;
      readonly major: number;
      readonly minor: number;
    };

const fileTypes = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  'character-device': 0o020000,
} as const;

/**
 * Writes a cpio archive as the kernel unpacks it, in the "newc" format
 * (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), without compression.
 *
 * Its bytes follow from the entries alone: sorted by path, numbered in that order, owned by root,
 * mtime 0. Folders that are not among the entries are made with mode 0755. Paths must be unique.
 */
export function encodeCpio(entries: readonly CpioEntry[]): Buffer {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  if (byPath.size !== entries.length) throw new RangeError('a path is there twice');
  for (const { path } of entries) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      if (byPath.has(folder)) continue;
      byPath.set(folder, { kind: 'directory', path: folder, permissions: 0o755 });
    }
  }
  // A folder's path is the beginning of what is in it, so it comes first.
  const sorted = [...byPath.values()].sort((a, b) => compareBytes(a.path, b.path));
  return Buffer.concat([
    ...sorted.flatMap((entry, index) => encodeEntry(entry, index + 1)),
    ...record({ path: 'TRAILER!!!', inode: 0, mode: 0, links: 1, content: new Uint8Array() }),
  ]);
}

function encodeEntry(entry: CpioEntry, inode: number): Uint8Array[] {
  const permissions = entry.kind === 'symlink' ? 0o777 : entry.permissions;
  return record({
    path: entry.path,
    inode,
    mode: fileTypes[entry.kind] | permissions,
    links: entry.kind === 'directory' ? 2 : 1,
    content: contentOf(entry),
    ...(entry.kind === 'character-device' ? { device: [entry.major, entry.minor] } : {}),
  });
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.content;
  return entry.kind === 'symlink' ? Buffer.from(entry.target) : new Uint8Array();
}

function record(fields: {
  path: string;
  inode: number;
  mode: number;
  links: number;
  content: Uint8Array;
  device?: readonly [number, number];
}): Uint8Array[] {
  const name = Buffer.from(`${fields.path}\0`);
  const [major, minor] = fields.device ?? [0, 0];
  const header = [
    fields.inode,
    fields.mode,
    0, // uid
    0, // gid
    fields.links,
    0, // mtime
    fields.content.length,
    0, // major and minor of the device that it was on
    0,
    major,
    minor,
    name.length,
    0, // checksum: not in this format
  ].map((value) => value.toString(16).toUpperCase().padStart(8, '0'));
  const head = Buffer.concat([Buffer.from(`070701${header.join('')}`), name]);
  return [head, padding(head.length), fields.content, padding(fields.content.length)];
}

/** Zeros up to the next multiple of four. */
function padding(length: number): Buffer {
  return Buffer.alloc(-length & 3);
}
