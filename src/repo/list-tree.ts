import { PineError } from '../error.ts';
import { isLinkHeader } from './file-header.ts';
import { readFileHeader } from './file-object.ts';
import { type FoundEntry, findInCommit } from './find-in-commit.ts';
import { decodeDirectoryMetadata, decodeDirectoryTree } from './metadata-objects.ts';
import type { Repository } from './repository.ts';
import type { Metadata } from './tree.ts';

/** One line of a listing. */
export interface ListedEntry extends Metadata {
  readonly path: string;
  readonly kind: 'file' | 'symlink' | 'directory';
  /** Bytes; 0 for what has none. */
  readonly size: number;
  /** The file object's checksum; a directory's dirtree and dirmeta. */
  readonly checksums: readonly string[];
  readonly target?: string;
}

/** How far a listing goes down: `self` for the path alone, `entries` for one level, or all. */
export type ListingDepth = 'self' | 'entries' | 'all';

/**
 * Lists a path of a commit in the order of `ostree ls`: the directory, its files, its directories.
 * Throws NOT_FOUND_PATH.
 */
export async function* listTree(
  repository: Repository,
  commit: string,
  path: string,
  depth: ListingDepth,
): AsyncGenerator<ListedEntry> {
  const found = await findInCommit(repository, commit, path);
  if (found === undefined) {
    throw new PineError('NOT_FOUND_PATH', 'the commit has no such path', {
      expected: 'a path of the tree',
      found: 'nothing',
      where: path,
      remedy: `\`pinectl ls -R ${commit}\` lists all`,
    });
  }
  const normal = `/${path.split('/').filter(Boolean).join('/')}`;
  yield* list(repository, found, normal, depth);
}

async function* list(
  repository: Repository,
  entry: FoundEntry,
  path: string,
  depth: ListingDepth,
): AsyncGenerator<ListedEntry> {
  if (entry.kind === 'file') {
    yield file(repository, entry.checksum, path);
    return;
  }
  const where = repository.objectFile(entry.meta, 'dirmeta');
  const bytes = await repository.readMetadataObject(entry.meta, 'dirmeta');
  const metadata = decodeDirectoryMetadata(bytes, where);
  const checksums = [entry.tree, entry.meta];
  yield { kind: 'directory', ...metadata, path, size: 0, checksums };
  if (depth === 'self') return;
  const { files, directories } = decodeDirectoryTree(
    await repository.readMetadataObject(entry.tree, 'dirtree'),
    repository.objectFile(entry.tree, 'dirtree'),
  );
  const prefix = path === '/' ? '' : path;
  for (const { name, checksum } of files) yield file(repository, checksum, `${prefix}/${name}`);
  const below = depth === 'all' ? 'all' : 'self';
  for (const { name, tree, meta } of directories) {
    yield* list(repository, { kind: 'directory', tree, meta }, `${prefix}/${name}`, below);
  }
}

function file(repository: Repository, checksum: string, path: string): ListedEntry {
  const header = readFileHeader(repository, checksum);
  const { target, ...rest } = header;
  const checksums = [checksum];
  return isLinkHeader(header)
    ? { kind: 'symlink', ...rest, path, checksums, target }
    : { kind: 'file', ...rest, path, checksums };
}
