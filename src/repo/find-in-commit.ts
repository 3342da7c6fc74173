import { decodeDirectoryTree } from './metadata-objects.ts';
import type { Repository } from './repository.ts';

/** What a path in a commit is: an entry of its directory's dirtree. */
export type FoundEntry =
  | { readonly kind: 'file'; readonly checksum: string }
  | { readonly kind: 'directory'; readonly tree: string; readonly meta: string };

/**
 * Looks a path up in a commit, reading only the directories on the way. Links are not followed;
 * a symlink is of kind `file` here. `undefined` when nothing has that name.
 */
export async function findInCommit(
  repository: Repository,
  commit: string,
  path: string,
): Promise<FoundEntry | undefined> {
  const { rootTree, rootMeta } = await repository.readCommit(commit);
  let found: FoundEntry = { kind: 'directory', tree: rootTree, meta: rootMeta };
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    if (found.kind !== 'directory') return undefined;
    const bytes = await repository.readMetadataObject(found.tree, 'dirtree');
    const where = repository.objectFile(found.tree, 'dirtree');
    const { files, directories } = decodeDirectoryTree(bytes, where);
    const file = files.find((entry) => entry.name === name);
    const directory = directories.find((entry) => entry.name === name);
    if (file !== undefined) found = { kind: 'file', checksum: file.checksum };
    else if (directory === undefined) return undefined;
    else found = { kind: 'directory', tree: directory.tree, meta: directory.meta };
  }
  return found;
}
