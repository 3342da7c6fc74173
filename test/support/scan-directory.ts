import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import type { ObjectSource } from '../../src/plan/object-source.ts';
import type { DirectoryNode, Metadata, TreeNode, Xattr } from '../../src/repo/tree.ts';
import { compareBytes } from '../../src/repo/tree.ts';
import { startFileChecksum } from './ostree-checksum.ts';

export interface ScannedDirectory {
  readonly root: DirectoryNode;
  readonly objects: ObjectSource;
}

/** A directory as a tree, with the files themselves as the source of its objects. */
export function scanDirectory(folder: string): ScannedDirectory {
  const xattrs = readXattrs(folder);
  const paths = new Map<string, string>();

  const scan = (path: string): TreeNode => {
    const status = lstatSync(path);
    const metadata: Metadata = {
      mode: status.mode,
      uid: status.uid,
      gid: status.gid,
      xattrs: xattrs.get(path) ?? [],
    };
    if (status.isDirectory()) {
      const names = readdirSync(path, { withFileTypes: true })
        .filter(isPlain)
        .map(({ name }) => name)
        .sort(compareBytes);
      const entries = new Map(names.map((name) => [name, scan(`${path}/${name}`)]));
      return { kind: 'directory', ...metadata, entries };
    }
    if (status.isSymbolicLink()) {
      const target = readlinkSync(path);
      const checksum = startFileChecksum(metadata, target).digest('hex');
      return { kind: 'symlink', ...metadata, target, checksum };
    }
    const hash = startFileChecksum(metadata);
    for (const chunk of readChunks(path)) hash.update(chunk);
    const checksum = hash.digest('hex');
    paths.set(checksum, path);
    return { kind: 'file', ...metadata, size: status.size, checksum };
  };

  const root = scan(folder);
  if (root.kind !== 'directory') throw new Error(`${folder} is not a directory`);
  return {
    root,
    objects: {
      async *open(checksum) {
        const path = paths.get(checksum);
        if (path === undefined) throw new Error(`no object ${checksum}`);
        yield* readChunks(path);
      },
    },
  };
}

/** Devices, sockets and fifos are in no commit. */
function isPlain(entry: Dirent): boolean {
  return entry.isFile() || entry.isDirectory() || entry.isSymbolicLink();
}

function* readChunks(path: string): Iterable<Buffer> {
  const file = openSync(path, 'r');
  try {
    for (let left = fstatSync(file).size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, 65536));
      const length = readSync(file, chunk);
      if (length === 0) throw new Error(`${path} became shorter`);
      yield chunk.subarray(0, length);
      left -= length;
    }
  } finally {
    closeSync(file);
  }
}

/** All extended attributes below a folder, by path, as getfattr tells them. */
export function readXattrs(folder: string): Map<string, Xattr[]> {
  const options = ['-h', '-R', '-P', '-d', '-m-', '-e', 'hex', '--absolute-names', folder];
  const { stdout, error } = spawnSync('getfattr', options, { maxBuffer: 1 << 28 });
  if (error) throw error;
  const found = new Map<string, Xattr[]>();
  for (const block of stdout.toString().split('\n\n')) {
    const [first, ...lines] = block.split('\n').filter((line) => line !== '');
    if (first === undefined) continue;
    const path = first
      .replace('# file: ', '')
      .replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    const xattrs = lines.map((line) => {
      const at = line.indexOf('=0x');
      return { name: line.slice(0, at), value: Buffer.from(line.slice(at + 3), 'hex') };
    });
    found.set(
      path,
      xattrs.sort((a, b) => compareBytes(a.name, b.name)),
    );
  }
  return found;
}

/** Everything that must be equal in two copies of a tree: one line per path, sorted. */
export function describeDirectory(folder: string): string[] {
  const xattrs = readXattrs(folder);
  const lines: string[] = [];
  const describe = (path: string): void => {
    const status = lstatSync(path);
    const { mode, uid, gid, size } = status;
    const name = path.slice(folder.length) || '/';
    const attributes = (xattrs.get(path) ?? [])
      .map(({ name: key, value }) => `${key}=${Buffer.from(value).toString('hex')}`)
      .join(' ');
    let content = '';
    if (status.isSymbolicLink()) content = readlinkSync(path);
    else if (status.isFile()) content = `${size} ${sha256(path)}`;
    lines.push(`${name} ${mode.toString(8)} ${uid}:${gid} ${content} ${attributes}`);
    if (!status.isDirectory()) return;
    for (const child of readdirSync(path, { withFileTypes: true }).filter(isPlain)) {
      describe(`${path}/${child.name}`);
    }
  };
  describe(folder);
  return lines.sort();
}

function sha256(path: string): string {
  const hash = createHash('sha256');
  for (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest('hex');
}
