import { PineError } from '../error.ts';
import { bytes, string, uint64BigEndian } from './gvariant/basic.ts';
import { decode } from './gvariant/codec.ts';
import { array, tuple } from './gvariant/containers.ts';
import { type Dictionary, dictionary, type Variant } from './gvariant/variant.ts';
import { checksumFromBytes } from './object-name.ts';

/** A commit object, decoded without loss: encoding it again gives the same bytes. */
export interface Commit {
  /** In the order that was hashed. */
  readonly metadata: Dictionary;
  /** The checksum of the commit before; `undefined` for a first one. */
  readonly parent: string | undefined;
  /** A list that OSTree reserves and nobody fills. */
  readonly related: readonly (readonly [string, Uint8Array])[];
  readonly subject: string;
  readonly body: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Checksum of the root's .dirtree. */
  readonly rootTree: string;
  /** Checksum of the root's .dirmeta. */
  readonly rootMeta: string;
}

const commitObject = tuple(
  dictionary,
  bytes,
  array(tuple(string, bytes)),
  string,
  string,
  uint64BigEndian,
  bytes,
  bytes,
);

/** The bytes of a .commit: `(a{sv}aya(say)sstayay)`. */
export function encodeCommit(commit: Commit): Buffer {
  return commitObject.encode([
    commit.metadata,
    Buffer.from(commit.parent ?? '', 'hex'),
    commit.related,
    commit.subject,
    commit.body,
    BigInt(commit.timestamp),
    Buffer.from(commit.rootTree, 'hex'),
    Buffer.from(commit.rootMeta, 'hex'),
  ]);
}

/** Reads a .commit; `where` names it. Throws CORRUPT_GVARIANT, CORRUPT_OBJECT. */
export function decodeCommit(object: Uint8Array, where: string): Commit {
  const [metadata, parent, related, subject, body, time, tree, meta] = decode(
    commitObject,
    object,
    where,
  );
  const keys = metadata.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw corrupt('a metadata key is there twice', twice, where);
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw corrupt('a commit has a time that is none', `${time} seconds`, where);
  }
  return {
    metadata,
    parent: parent.length === 0 ? undefined : checksumFromBytes(parent, where),
    related,
    subject,
    body,
    timestamp: Number(time),
    rootTree: checksumFromBytes(tree, where),
    rootMeta: checksumFromBytes(meta, where),
  };
}

/** A value of a commit's metadata, or of any other `a{sv}`. */
export function metadataValue(metadata: Dictionary, key: string): Variant | undefined {
  return metadata.find(([name]) => name === key)?.[1];
}

/** The refs that a commit was made for (`ostree.ref-binding`); `undefined` when it does not say. */
export function boundRefs(commit: Commit): readonly string[] | undefined {
  const found = metadataValue(commit.metadata, 'ostree.ref-binding');
  return found?.type === 'as' ? (found.value as readonly string[]) : undefined;
}

function corrupt(summary: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_OBJECT', summary, {
    expected: 'a commit object as `ostree commit` writes it',
    found,
    where,
    remedy: 'do not use this commit; fetch it again from a source that you trust',
  });
}
