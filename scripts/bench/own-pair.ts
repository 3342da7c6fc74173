import { cpSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Pair } from './delta-pairs.ts';
import type { Bench } from './measurement.ts';

/** Where two files lie in the trees that are made of them. */
const name = 'file';

/** A pair of one's own: two folders, or two files, whatever they are called. Throws when it is one of each, or none. */
export function ownPair(old: string, updated: string): Pair {
  const isFolder = [old, updated].map((path) => statSync(path).isDirectory());
  if (isFolder[0] !== isFolder[1]) {
    throw new TypeError(`two files or two folders, not ${old} and ${updated}`);
  }
  const what = `${basename(old)} to ${basename(updated)}`;
  if (isFolder[0]) {
    const trees = async () => ({ old, new: updated });
    return { what, isLong: true, bsdiff: 'files', trees };
  }
  const trees = async ({ folder }: Bench) => ({
    old: treeOf(old, join(folder, 'old-tree')),
    new: treeOf(updated, join(folder, 'new-tree')),
  });
  return { what, isLong: true, bsdiff: { file: name }, hasOtherPeers: true, trees };
}

/** A tree of nothing but this file. */
function treeOf(file: string, tree: string): string {
  mkdirSync(tree);
  cpSync(file, join(tree, name));
  return tree;
}
