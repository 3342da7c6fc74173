import { isLinkHeader } from './file-header.ts';
import { readFileContent, readFileHeader } from './file-object.ts';
import {
  decodeDirectoryMetadata,
  decodeDirectoryTree,
  encodeDirectoryMetadata,
} from './metadata-objects.ts';
import type { Repository } from './repository.ts';
import { compareBytes, type Metadata } from './tree.ts';
import { deepest, mostEntries, tooMuch } from './tree-limits.ts';

/** One side of a difference. */
export interface DiffNode extends Metadata {
  readonly kind: 'file' | 'symlink' | 'directory';
  /** Bytes; 0 for what has none. */
  readonly size: number;
  /** A symlink's target; else `''`. */
  readonly target: string;
}

/** What can be different between two nodes of the same name. */
export type Difference = 'type' | 'content' | 'target' | 'mode' | 'owner' | 'xattr';

/** A path that differs: added without `before`, removed without `after`. */
export interface TreeChange {
  readonly path: string;
  readonly before: DiffNode | undefined;
  readonly after: DiffNode | undefined;
  /** Empty for what was added or removed. */
  readonly differences: readonly Difference[];
}

/** An entry of a directory; a directory has `tree` and `meta`. */
type Entry =
  | { readonly name: string; readonly checksum: string; readonly tree?: undefined }
  | { readonly name: string; readonly tree: string; readonly meta: string };

/**
 * What is different between the trees of two commits, by path, parents first. Directories of equal
 * checksum are not read: the cost follows the change. Throws NOT_FOUND_OBJECT, CORRUPT_….
 */
export async function* diffCommits(
  repository: Repository,
  before: string,
  after: string,
): AsyncGenerator<TreeChange> {
  const [a, b] = [await repository.readCommit(before), await repository.readCommit(after)];
  let count = 0;
  const rootOf = ({ rootTree, rootMeta }: typeof a) => ({
    name: '',
    tree: rootTree,
    meta: rootMeta,
  });
  for await (const change of diff(repository, rootOf(a), rootOf(b), '', 0)) {
    count += 1;
    // S5: a few objects can describe more paths than there are atoms.
    if (count > mostEntries) {
      throw tooMuch('a tree has too many entries', `${mostEntries} entries`, repository.path);
    }
    yield change;
  }
}

async function* diff(
  repository: Repository,
  a: Entry | undefined,
  b: Entry | undefined,
  path: string,
  depth: number,
): AsyncGenerator<TreeChange> {
  if (depth > deepest) {
    throw tooMuch('a tree is nested too deeply', `${deepest} levels`, repository.path);
  }
  const isSame = a?.tree === undefined && b?.tree === undefined && a?.checksum === b?.checksum;
  if (isSame) return;
  if (a?.tree === undefined || b?.tree === undefined || a.meta !== b.meta) {
    const [before, after] = [await read(repository, a), await read(repository, b)];
    const differences = await compare(repository, a, b, before, after);
    yield { path: path === '' ? '/' : path, before, after, differences };
  }
  if (a?.tree === b?.tree) return;
  const [left, right] = [await list(repository, a), await list(repository, b)];
  for (const name of [...new Set([...left.keys(), ...right.keys()])].sort(compareBytes)) {
    yield* diff(repository, left.get(name), right.get(name), `${path}/${name}`, depth + 1);
  }
}

async function list(repository: Repository, entry: Entry | undefined): Promise<Map<string, Entry>> {
  if (entry?.tree === undefined) return new Map();
  const where = repository.objectFile(entry.tree, 'dirtree');
  const bytes = await repository.readMetadataObject(entry.tree, 'dirtree');
  const { files, directories } = decodeDirectoryTree(bytes, where);
  return new Map([...files, ...directories].map((each) => [each.name, each]));
}

async function read(repository: Repository, entry?: Entry): Promise<DiffNode | undefined> {
  if (entry === undefined) return undefined;
  if (entry.tree === undefined) {
    const header = readFileHeader(repository, entry.checksum);
    return { kind: isLinkHeader(header) ? 'symlink' : 'file', ...header };
  }
  const where = repository.objectFile(entry.meta, 'dirmeta');
  const bytes = await repository.readMetadataObject(entry.meta, 'dirmeta');
  return { kind: 'directory', ...decodeDirectoryMetadata(bytes, where), size: 0, target: '' };
}

async function compare(
  repository: Repository,
  a: Entry | undefined,
  b: Entry | undefined,
  before: DiffNode | undefined,
  after: DiffNode | undefined,
): Promise<Difference[]> {
  if (before === undefined || after === undefined) return [];
  const found: Difference[] = [];
  if (before.kind !== after.kind) found.push('type');
  else if (before.target !== after.target) found.push('target');
  if ((before.mode & 0o7777) !== (after.mode & 0o7777)) found.push('mode');
  if (before.uid !== after.uid || before.gid !== after.gid) found.push('owner');
  // Everything else the same, the encoding differs by the xattrs alone.
  const same = { mode: 0, uid: 0, gid: 0 };
  const [left, right] = [
    { ...before, ...same },
    { ...after, ...same },
  ].map(encodeDirectoryMetadata);
  if (left?.compare(right ?? Buffer.of()) !== 0) found.push('xattr');
  if (before.kind !== 'file' || after.kind !== 'file') return found;
  const differs =
    before.size !== after.size ||
    // With the same header, another checksum means another content.
    found.length === 0 ||
    !(await haveSameContent(repository, a, b));
  return differs ? ['content', ...found] : found;
}

async function haveSameContent(repository: Repository, a?: Entry, b?: Entry): Promise<boolean> {
  if (a?.tree !== undefined || b?.tree !== undefined || !a || !b) return false;
  const { createHash } = await import('node:crypto');
  const digests: string[] = [];
  for (const { checksum } of [a, b]) {
    const hash = createHash('sha256');
    for await (const piece of readFileContent(repository, checksum)) hash.update(piece);
    digests.push(hash.digest('hex'));
  }
  return digests[0] === digests[1];
}
