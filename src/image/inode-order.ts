import type { DirectoryNode, TreeNode } from '../repo/tree.ts';
import { limits, refuseTree } from './limits.ts';

export interface OrderedEntry {
  readonly name: Buffer;
  readonly path: string;
  readonly node: TreeNode;
  /** The entry again, where it is a directory. */
  readonly directory: OrderedDirectory | undefined;
  number: number;
}

export interface OrderedDirectory {
  readonly node: DirectoryNode;
  /** From the root of the tree, which is `/`. */
  readonly path: string;
  readonly parent: OrderedDirectory | undefined;
  readonly depth: number;
  /** Sorted by the bytes of their names. */
  readonly entries: OrderedEntry[];
  number: number;
}

/**
 * The order of an image's inodes, and so of its file data: the entries of a directory lie together,
 * sorted by name, behind those of all directories below it; the root comes last.
 *
 * Directories come before those that they are in. Inodes are numbered from 1 in this order.
 */
export function orderInodes(root: DirectoryNode): readonly OrderedDirectory[] {
  const directories: OrderedDirectory[] = [];
  const waiting = [newDirectory(root, '/', undefined)];
  let count = 1;
  // Each directory before those below it, from last to first: reversed, it is the order wanted.
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    directories.push(directory);
    count += directory.node.entries.size;
    if (count > limits.inodes) refuseCount();
    readEntries(directory);
    for (const entry of directory.entries) {
      if (entry.directory !== undefined) waiting.push(entry.directory);
    }
  }
  directories.reverse();
  assignNumbers(directories);
  return directories;
}

function assignNumbers(directories: readonly OrderedDirectory[]): void {
  let number = 1;
  for (const directory of directories) {
    for (const entry of directory.entries) {
      if (entry.directory !== undefined) entry.directory.number = number;
      entry.number = number++;
    }
    if (directory.parent === undefined) directory.number = number;
  }
}

function newDirectory(
  node: DirectoryNode,
  path: string,
  parent: OrderedDirectory | undefined,
): OrderedDirectory {
  const depth = parent === undefined ? 0 : parent.depth + 1;
  if (depth > limits.depth) {
    refuseTree('INPUT_TREE_TOO_DEEP', 'the tree has too many directories inside each other', {
      expected: `at most ${limits.depth} levels`,
      found: 'more',
      where: `${path.slice(0, 256)}…`,
    });
  }
  return { node, path, parent, depth, entries: [], number: 0 };
}

function readEntries(directory: OrderedDirectory): void {
  const prefix = directory.parent === undefined ? '/' : `${directory.path}/`;
  for (const [text, node] of directory.node.entries) {
    const name = encodeName(text, directory.path);
    const path = prefix + text;
    const below = node.kind === 'directory' ? newDirectory(node, path, directory) : undefined;
    directory.entries.push({ name, path, node, directory: below, number: 0 });
  }
  directory.entries.sort((a, b) => Buffer.compare(a.name, b.name));
}

function encodeName(name: string, directory: string): Buffer {
  const bytes = Buffer.from(name);
  const isName =
    name.isWellFormed() && name !== '.' && name !== '..' && !/[/\0]/.test(name) && name !== '';
  if (isName && bytes.length <= limits.nameBytes) return bytes;
  refuseTree('INPUT_FILE_NAME', 'a name cannot be that of a file', {
    expected: `1 to ${limits.nameBytes} bytes of UTF-8 without / and NUL, and not . or ..`,
    found: `${JSON.stringify(name.slice(0, 64))} (${bytes.length} bytes)`,
    where: directory,
  });
}

function refuseCount(): never {
  refuseTree('INPUT_TREE_TOO_LARGE', 'the tree has too many entries for an image', {
    expected: `at most ${limits.inodes} files, links and directories`,
    found: 'more',
    where: 'the whole tree',
  });
}
