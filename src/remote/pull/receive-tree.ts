import { forEachParallel } from '../../parallel.ts';
import type { Commit } from '../../repo/commit-object.ts';
import { decodeDirectoryMetadata, decodeDirectoryTree } from '../../repo/metadata-objects.ts';
import type { Transaction } from '../../repo/transaction.ts';
import { mostEntries, tooMuch } from '../../repo/tree-limits.ts';
import type { RemoteRepository } from '../remote-repository.ts';

/** Requests that are under way at once: one for each connection that is kept. */
export const parallelRequests = 8;

/**
 * Brings the dirtrees and dirmetas of a commit into a transaction, each checked, and gives the
 * checksums of all files that they name. Those that are there already are read here, not fetched:
 * that a dirtree is there does not mean that all below it is.
 */
export async function receiveTree(
  remote: RemoteRepository,
  transaction: Transaction,
  { rootTree, rootMeta }: Commit,
): Promise<{ files: ReadonlySet<string>; bytes: number }> {
  const files = new Set<string>();
  const seen = new Set<string>([rootTree, rootMeta]);
  let bytes = 0;

  const bring = async (checksum: string, kind: 'dirtree' | 'dirmeta'): Promise<Buffer> => {
    const { repository } = transaction;
    if (repository.has(checksum, kind)) return repository.readMetadataObject(checksum, kind);
    const object = await remote.fetchMetadataObject(checksum, kind);
    bytes += object.length;
    // What no tree may hold never gets into the repository.
    if (kind === 'dirtree') decodeDirectoryTree(object, `${remote.name}, ${checksum}.dirtree`);
    else decodeDirectoryMetadata(object, `${remote.name}, ${checksum}.dirmeta`);
    transaction.addMetadataObject(object, kind, checksum);
    return object;
  };

  await bring(rootMeta, 'dirmeta');
  // Level by level: each dirtree once, so that no arrangement of few objects takes for ever.
  let level = [rootTree];
  while (level.length > 0) {
    const next: string[] = [];
    const metas: string[] = [];
    await forEachParallel(level, parallelRequests, async (tree) => {
      const object = await bring(tree, 'dirtree');
      const { files: named, directories } = decodeDirectoryTree(object, `${tree}.dirtree`);
      for (const { checksum } of named) files.add(checksum);
      for (const directory of directories) {
        if (!seen.has(directory.tree)) next.push(directory.tree);
        if (!seen.has(directory.meta)) metas.push(directory.meta);
        seen.add(directory.tree).add(directory.meta);
      }
      if (files.size + seen.size > mostEntries) {
        throw tooMuch('a tree has too many objects', `${mostEntries} objects`, remote.name);
      }
    });
    await forEachParallel(metas, parallelRequests, async (meta) => {
      await bring(meta, 'dirmeta');
    });
    level = next;
  }
  return { files, bytes };
}
