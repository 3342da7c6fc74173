import { readFileContent } from '../../repo/file-object.ts';
import { readTree } from '../../repo/read-tree.ts';
import type { Repository } from '../../repo/repository.ts';
import type { TreeNode } from '../../repo/tree.ts';
import type { SourceDirectory, SourceNode } from '../source-node.ts';

/** The tree of a commit that a repository holds, as one to commit again. Throws as `readTree`. */
export async function commitSource(
  repository: Repository,
  commit: string,
): Promise<SourceDirectory> {
  const root = await readTree(repository, commit);
  return directory(repository, root);
}

function directory(
  repository: Repository,
  { entries, ...metadata }: TreeNode & { readonly kind: 'directory' },
): SourceDirectory {
  const nodes = [...entries].map(([name, child]) => [name, node(repository, child)] as const);
  return { ...metadata, entries: new Map(nodes) };
}

function node(repository: Repository, tree: TreeNode): SourceNode {
  if (tree.kind === 'directory') return directory(repository, tree);
  const { checksum, ...rest } = tree;
  if (rest.kind === 'symlink') return rest;
  const { size, ...metadata } = rest;
  return { ...metadata, content: { size, open: () => readFileContent(repository, checksum) } };
}
