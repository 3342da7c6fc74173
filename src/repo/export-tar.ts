import { PineError } from '../error.ts';
import { encodeEntry, fillUp, tarEnd } from '../tar/write-tar.ts';
import { readFileContent } from './file-object.ts';
import { readTree } from './read-tree.ts';
import type { Repository } from './repository.ts';
import { compareBytes, type DirectoryNode, type TreeNode } from './tree.ts';

/**
 * A commit, or a folder of it, as a tar. The bytes follow from the tree and the commit's time alone: names
 * in the order of their bytes, all times the commit's. Throws NOT_FOUND_PATH, CORRUPT_….
 */
export async function* exportTar(
  repository: Repository,
  commit: string,
  subpath = '/',
): AsyncGenerator<Uint8Array> {
  const { timestamp } = await repository.readCommit(commit);
  const root = findFolder(await readTree(repository, commit), subpath);
  for (const [name, node] of flatten(root, '')) {
    const size = node.kind === 'file' ? node.size : 0;
    const target = node.kind === 'symlink' ? node.target : '';
    const type = { file: '0', symlink: '2', directory: '5' } as const;
    yield encodeEntry({ ...node, name, type: type[node.kind], target, size, time: timestamp });
    if (node.kind !== 'file') continue;
    yield* readFileContent(repository, node.checksum);
    yield fillUp(size);
  }
  yield tarEnd;
}

function* flatten(folder: DirectoryNode, path: string): Generator<readonly [string, TreeNode]> {
  yield [path === '' ? './' : path, folder];
  for (const [name, node] of [...folder.entries].sort(([a], [b]) => compareBytes(a, b))) {
    if (node.kind === 'directory') yield* flatten(node, `${path}${name}/`);
    else yield [path + name, node];
  }
}

function findFolder(root: DirectoryNode, path: string): DirectoryNode {
  let here: TreeNode | undefined = root;
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    here = here?.kind === 'directory' ? here.entries.get(name) : undefined;
  }
  if (here?.kind === 'directory') return here;
  throw new PineError('NOT_FOUND_PATH', 'the commit has no such folder', {
    expected: 'the path of a folder',
    found: here === undefined ? 'nothing' : `a ${here.kind}`,
    where: path,
    remedy: '`pinectl ls -R COMMIT` lists all',
  });
}
