import type { Room } from '../repo/threads/slot-filler.ts';
import type { Metadata } from '../repo/tree.ts';

/** Where the content of a file is read from; every call of `open` starts at its first byte. */
export interface SourceContent {
  /** Bytes. What `open` gives has this length, or ends in INPUT_FILE_CHANGED. */
  readonly size: number;
  /**
   * With a `room`, pieces may lie in what it gives: each is good until the next one is asked for. Who
   * says where it wants them so spares a copy.
   */
  open(room?: Room): AsyncIterable<Uint8Array>;
}

export interface SourceFile extends Metadata {
  readonly kind: 'file';
  readonly content: SourceContent;
}

export interface SourceSymlink extends Metadata {
  readonly kind: 'symlink';
  readonly target: string;
}

export interface SourceDirectory extends Metadata {
  readonly kind: 'directory';
  readonly entries: Map<string, SourceNode>;
}

/** A node is never altered, only replaced: hard links share one. (A directory's entries do change.) */
export type SourceNode = SourceFile | SourceSymlink | SourceDirectory;

/** The content of a file that exists in memory only. */
export function bytesContent(bytes: Uint8Array): SourceContent {
  return {
    size: bytes.length,
    async *open() {
      if (bytes.length > 0) yield bytes;
    },
  };
}

/** Every node below and including `root` with its path, parents first, in the order of the entries. */
export function* walkSource(root: SourceDirectory): Generator<readonly [string, SourceNode]> {
  const pending: (readonly [string, SourceNode])[] = [['/', root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, node] = next;
    yield next;
    if (node.kind !== 'directory') continue;
    const prefix = path === '/' ? '' : path;
    for (const [name, child] of node.entries) pending.push([`${prefix}/${name}`, child]);
  }
}
