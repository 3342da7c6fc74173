import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { PineError } from '../error.ts';
import type { TreeNode } from './tree.ts';

/** A node of a tree on its way into a folder. Paths are relative to the folder. */
export interface CheckoutEntry {
  readonly node: TreeNode;
  /** Its path in the end. */
  readonly path: string;
  /** Where it is written: beside its path, where that is taken. */
  readonly written: string;
  /** A directory that was there before: it stays as it is. */
  readonly present: boolean;
}

/** Everything that a new folder gets, parents first: a tree with all that is in it, or a single file. */
export function newEntries(root: TreeNode, name: string): CheckoutEntry[] {
  return [...flatten(root, name)].map(([path, node]) => ({
    node,
    path,
    written: path,
    present: false,
  }));
}

/**
 * The same for a folder with something in it. Files and links take the place of others; directories
 * are joined. Nothing takes the place of a directory, and no link is followed: nothing outside of the
 * folder is written. Throws STATE_CHECKOUT_CONFLICT.
 */
export function unionEntries(root: TreeNode, name: string, folder: string): CheckoutEntry[] {
  const once = randomBytes(6).toString('hex');
  const entries: CheckoutEntry[] = [];
  /** Directories that are not there yet: nothing can be in them. */
  const fresh = new Set<string>();
  for (const [path, node] of flatten(root, name)) {
    const absolute = `${folder}/${path}`;
    const there = fresh.has(dirname(path))
      ? undefined
      : lstatSync(absolute, { throwIfNoEntry: false });
    const isDirectory = node.kind === 'directory';
    if (there !== undefined && isDirectory !== there.isDirectory()) {
      throw conflict(absolute, isDirectory);
    }
    if (isDirectory && there === undefined) fresh.add(path);
    const beside = `${dirname(path)}/.pine-${once}-${entries.length}`;
    entries.push({
      node,
      path,
      written: isDirectory || there === undefined ? path : beside,
      present: isDirectory && there !== undefined,
    });
  }
  return entries;
}

/** Every node with its path, parents first; a root that is no directory has its own name. */
function* flatten(node: TreeNode, name: string): Generator<readonly [string, TreeNode]> {
  if (node.kind === 'directory') yield* walk(node, '.');
  else yield [`./${basename(name)}`, node];
}

function* walk(node: TreeNode, path: string): Generator<readonly [string, TreeNode]> {
  yield [path, node];
  if (node.kind !== 'directory') return;
  for (const [name, child] of node.entries) yield* walk(child, `${path}/${name}`);
}

function conflict(where: string, isDirectory: boolean): PineError {
  return new PineError(
    'STATE_CHECKOUT_CONFLICT',
    'a directory and something else are in conflict',
    {
      expected: isDirectory ? 'a directory, or nothing' : 'no directory',
      found: isDirectory ? 'a file or link' : 'a directory',
      where,
      remedy: 'move away what is there, or check out into a new folder; nothing was written',
    },
  );
}
