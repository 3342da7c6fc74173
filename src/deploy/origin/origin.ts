import { isRecord, parseJson, text, whole } from '../json.ts';

/** How the image of a deployment came to this machine. Nothing is decided by it. */
export interface Origin {
  readonly commit: string;
  /** When it was whole, in seconds since 1970. */
  readonly time: number;
  /** A repository or a bundle. */
  readonly kind: 'remote' | 'bundle';
  /** Its URL without a password, or its path. */
  readonly place: string;
  readonly ref: string;
  /** One delta, several, one that needs no other image, or files and ranges of what ran. */
  readonly way: 'delta' | 'chain' | 'full' | 'files';
  /** Deltas that were applied. */
  readonly deltas: number;
  /** Bytes that the run which ended it read from the remote, all counted. */
  readonly fetched: number;
  /** Bytes of the image that were there from a run before, which was cut. */
  readonly resumedAt: number;
  /** The file of the key that it was accepted by. */
  readonly signedBy: string;
}

/** The most that such a record may be, in bytes. */
export const originLimit = 16 * 1024;
const longest = 2000;

/** Reads a record; `undefined` when it is not what pine writes: then how it came is not known. */
export function parseOrigin(bytes: Uint8Array): Origin | undefined {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.version !== 1) return undefined;
  const kind = (['remote', 'bundle'] as const).find((known) => known === value.kind);
  const way = (['delta', 'chain', 'full', 'files'] as const).find((known) => known === value.way);
  const commit = text(value.commit, /^[0-9a-f]{64}$/);
  const [time, deltas] = [whole(value.time), whole(value.deltas)];
  const [fetched, resumedAt] = [whole(value.fetched), whole(value.resumedAt)];
  const [place, ref, signedBy] = [value.place, value.ref, value.signedBy].map((word) =>
    text(word, /^.{0,2000}$/s),
  );
  if (kind === undefined || way === undefined || commit === undefined) return undefined;
  if (time === undefined || deltas === undefined || fetched === undefined) return undefined;
  if (resumedAt === undefined || place === undefined) return undefined;
  if (ref === undefined || signedBy === undefined) return undefined;
  return { commit, time, kind, place, ref, way, deltas, fetched, resumedAt, signedBy };
}

/** The bytes of a record. */
export function formatOrigin(origin: Origin): Buffer {
  const [place, ref, signedBy] = [origin.place, origin.ref, origin.signedBy].map((word) =>
    word.slice(0, longest),
  );
  const value = { version: 1, ...origin, place, ref, signedBy };
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
