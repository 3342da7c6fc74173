import { PineError } from '../error.ts';

/** Kinds of objects, by the ending of their file. `plan` is pine's own: docs/plan-format.md. */
export type ObjectKind = 'commit' | 'dirtree' | 'dirmeta' | 'filez' | 'commitmeta' | 'plan';

/** Kinds whose file's SHA-256 is their name. */
export type MetadataKind = 'commit' | 'dirtree' | 'dirmeta';

/** Whether a text is a checksum as OSTree writes it: 64 lower-case hex digits. */
export function isChecksum(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Where an object's file lies in a repository: `objects/XX/REST.kind`. */
export function objectPath(checksum: string, kind: ObjectKind): string {
  return `objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${kind}`;
}

/** A checksum's 64 hex digits from its 32 bytes; `where` names the object that holds it. */
export function checksumFromBytes(bytes: Uint8Array, where: string): string {
  if (bytes.length === 32) return Buffer.from(bytes).toString('hex');
  throw new PineError('CORRUPT_OBJECT', 'an object names another one by something else', {
    expected: 'a checksum of 32 bytes',
    found: `${bytes.length} bytes`,
    where,
    remedy: 'fetch or commit it again; `pinectl fsck` lists all damaged objects',
  });
}
