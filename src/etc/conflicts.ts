import { isRecord, parseJson, text, whole } from '../deploy/json.ts';
import { isEtcPath } from './marks.ts';

/** Why the two sides of a path could not be made one. */
export const conflictReasons = [
  /** The same lines were changed on both sides, or next to each other. */
  'lines',
  /** Both sides changed a file that can only be taken as a whole: binary, large, or not UTF-8. */
  'whole',
  /** The new release has changed what was removed here. */
  'removed-here',
  /** The new release removes what was changed here. */
  'removed-by-release',
  /** A file here and a folder there, a link, a socket. */
  'kind',
  /** Both sides set another mode, owner or extended attribute. */
  'attributes',
  /** An id or a name that two accounts want, or a line that is none. */
  'accounts',
  /** The release takes every key away that this machine trusts. */
  'keys',
] as const;
export type ConflictReason = (typeof conflictReasons)[number];

/** A path of which the local side was kept, until `pinectl etc resolve` settles it. */
export interface Conflict {
  /** Relative to /etc. */
  readonly path: string;
  readonly reason: ConflictReason;
  /** What exactly, in words. */
  readonly detail: string;
  /** Where the new release's side lies, relative to /etc; absent when the release has none, or only attributes differ. */
  readonly beside?: string;
  /** What the new release would have; absent when it has removed the path. */
  readonly release?: {
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  };
}

/** The most that the record of a deployment's conflicts may be, in bytes. */
export const conflictsLimit = 4 * 1024 * 1024;
const detailLength = 500;

/** Where the conflicts of a deployment's /etc are recorded. */
export function conflictsFile(data: string, deployment: string): string {
  return `${data}/pine/etc/${deployment}.json`;
}

/** Reads the record; `undefined` when it is not what pine writes. */
export function parseConflicts(bytes: Uint8Array): readonly Conflict[] | undefined {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.conflicts)) return undefined;
  const conflicts = value.conflicts.map(parseConflict);
  return conflicts.every((conflict) => conflict !== undefined) ? conflicts : undefined;
}

/** The bytes of the record, by path. */
export function formatConflicts(conflicts: readonly Conflict[]): Buffer {
  const shortened = conflicts.map((conflict) => ({
    ...conflict,
    detail: conflict.detail.slice(0, detailLength),
  }));
  return Buffer.from(`${JSON.stringify({ version: 1, conflicts: shortened }, null, 2)}\n`);
}

function parseConflict(value: unknown): Conflict | undefined {
  if (!isRecord(value) || !isEtcPath(value.path)) return undefined;
  const reason = conflictReasons.find((known) => known === value.reason);
  const detail = text(value.detail, /^.{0,500}$/s);
  const beside = value.beside;
  const release = value.release === undefined ? undefined : parseRelease(value.release);
  if (reason === undefined || detail === undefined || release === null) return undefined;
  if (beside !== undefined && !isEtcPath(beside)) return undefined;
  return {
    path: value.path,
    reason,
    detail,
    ...(beside !== undefined && { beside }),
    ...(release && { release }),
  };
}

function parseRelease(value: unknown): NonNullable<Conflict['release']> | null {
  if (!isRecord(value)) return null;
  const [mode, uid, gid] = [whole(value.mode), whole(value.uid), whole(value.gid)];
  if (mode === undefined || mode > 0o7777 || uid === undefined || gid === undefined) return null;
  return { mode, uid, gid };
}
