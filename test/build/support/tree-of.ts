import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceDirectory, SourceNode } from '../../../src/build/source-node.ts';
import { SourceTree } from '../../../src/build/source-tree.ts';

/** A folder as a tree, owned by root; content is read when it is asked for. Special files are left out. */
export function treeOf(folder: string): SourceTree {
  return new SourceTree(directoryOf(folder));
}

function directoryOf(folder: string): SourceDirectory {
  const entries = new Map<string, SourceNode>();
  for (const name of readdirSync(folder)) {
    const node = nodeOf(join(folder, name));
    if (node !== undefined) entries.set(name, node);
  }
  return { kind: 'directory', mode: lstatSync(folder).mode, uid: 0, gid: 0, xattrs: [], entries };
}

function nodeOf(path: string): SourceNode | undefined {
  const status = lstatSync(path);
  const metadata = { mode: status.mode, uid: 0, gid: 0, xattrs: [] };
  if (status.isDirectory()) return directoryOf(path);
  if (status.isSymbolicLink()) return { kind: 'symlink', ...metadata, target: readlinkSync(path) };
  if (!status.isFile()) return undefined;
  const content = { size: status.size, open: () => createReadStream(path) };
  return { kind: 'file', ...metadata, content };
}
