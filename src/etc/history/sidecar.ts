import { isRecord, parseJson, text, whole } from '../../deploy/json.ts';
import type { Xattr } from '../../ports/xattr-dump.ts';
import type { EtcEntry } from '../walk.ts';
import { damaged } from './damaged.ts';
import type { Withheld } from './withheld.ts';

/** What git does not keep of an entry. */
export interface Attributes {
  readonly kind: EtcEntry['kind'];
  /** The lower twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: readonly Xattr[];
  /** Set when the content is not in the repository; then the size is, and when it was last changed. */
  readonly withheld?: Withheld;
  readonly size?: number;
  /** Seconds since 1970; absent for what a release ships, whose times are all the same. */
  readonly changed?: number;
}

/** The attributes that need no mention: root's own, and readable by all. */
export function isStandard({ kind, mode, uid, gid, xattrs, withheld }: Attributes): boolean {
  if (withheld !== undefined || uid !== 0 || gid !== 0 || xattrs.length > 0) return false;
  if (kind === 'symlink') return true;
  return kind === 'directory' ? mode === 0o755 : mode === 0o644 || mode === 0o755;
}

/**
 * The text of a folder's `.pine-metadata`: a line of JSON for each name that has other attributes than the
 * standard ones, `.` for the root of the tree.
 */
export function formatSidecar(entries: ReadonlyMap<string, Attributes>): Buffer {
  const lines = [...entries].map(([name, { kind, mode, uid, gid, xattrs, ...rest }]) => {
    const common = { name, kind, mode: mode.toString(8).padStart(4, '0'), uid, gid };
    const values = xattrs.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]);
    const some = values.length === 0 ? {} : { xattrs: Object.fromEntries(values) };
    return `${JSON.stringify({ ...common, ...some, ...rest })}\n`;
  });
  return Buffer.from(lines.join(''));
}

/** Reads a `.pine-metadata`. Throws CORRUPT_ETC_HISTORY. */
export function parseSidecar(bytes: Uint8Array, where: string): Map<string, Attributes> {
  const found = new Map<string, Attributes>();
  for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
    if (line === '') continue;
    const value = parseJson(Buffer.from(line));
    const name = isRecord(value) ? text(value.name, /^[^/\0]{1,1000}$/s) : undefined;
    const attributes = isRecord(value) ? parseAttributes(value) : undefined;
    if (name === undefined || attributes === undefined) throw damaged(line.slice(0, 80), where);
    found.set(name, attributes);
  }
  return found;
}

const kinds = ['file', 'directory', 'symlink', 'special'] as const;
const reasons = ['secret', 'large', 'name', 'special'] as const;

function parseAttributes(value: Record<string, unknown>): Attributes | undefined {
  const kind = kinds.find((known) => known === value.kind);
  const mode = text(value.mode, /^[0-7]{4}$/);
  const [uid, gid] = [whole(value.uid), whole(value.gid)];
  const xattrs = isRecord(value.xattrs) ? Object.entries(value.xattrs) : [];
  if (kind === undefined || mode === undefined || uid === undefined || gid === undefined) {
    return undefined;
  }
  const withheld = reasons.find((known) => known === value.withheld);
  const [size, changed] = [whole(value.size), whole(value.changed)];
  return {
    kind,
    mode: Number.parseInt(mode, 8),
    uid,
    gid,
    xattrs: xattrs.map(([name, hex]) => ({ name, value: Buffer.from(String(hex), 'hex') })),
    ...(withheld && { withheld }),
    ...(size !== undefined && { size }),
    ...(changed !== undefined && { changed }),
  };
}
