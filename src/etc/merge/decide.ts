import type { PathKind } from '../path-kinds.ts';
import type { Joined, Sides } from '../trees/join.ts';
import { sameContent } from '../trees/tree.ts';
import type { EtcEntry } from '../walk.ts';
import type { AccountFile } from './accounts.ts';
import { mergeAttributes, sameAttributes } from './attributes.ts';
import { type ContentMerged, mergeContent, type Versions } from './content.ts';
import { type Clash, type Decision, type Placed, placeEntry } from './decision.ts';
import { chooseValue } from './three-way.ts';

/** New accounts that were refused so far, by the file whose passwords they would have had. */
export type Refused = Map<AccountFile, readonly string[]>;

/** The file whose new accounts decide which of another one come in. */
const decidedBy: Partial<Record<AccountFile, AccountFile>> = { gshadow: 'group', shadow: 'passwd' };

/**
 * Decides what becomes of a path that is a folder on every side that has it, or on none (docs/etc.md has the table
 * of outcomes). The local side is never changed in silence: what can't be merged stays as it is here.
 */
export async function decide(
  sides: Sides,
  { path, base, next, local }: Joined,
  kind: PathKind,
  refused: Refused,
): Promise<Decision> {
  const quiet = kind === 'volatile' || kind === 'machine' || base?.kind === 'directory';
  const clash = (reason: Clash['reason'], detail: string) =>
    quiet ? {} : { clash: { reason, detail } };
  if (local === undefined) {
    if (base === undefined) return { placed: placeEntry(next, 'next') };
    if (next === undefined || (await sameEntry(sides, 'base', base, 'next', next))) return gone;
    return { ...gone, ...clash('removed-here', 'removed here, changed by the release') };
  }
  const mine = placeEntry(local, 'local');
  if (next === undefined) {
    if (base === undefined) return { placed: mine };
    if (await unchanged(sides, base, local)) return gone;
    return { placed: mine, ...clash('removed-by-release', 'changed here, removed by the release') };
  }
  if (kind === 'volatile' || kind === 'machine' || next.kind !== local.kind) {
    if (base !== undefined && (await sameEntry(sides, 'base', base, 'next', next))) {
      return { placed: mine };
    }
    if (base !== undefined && (await unchanged(sides, base, local))) {
      return { placed: placeEntry(next, 'next') };
    }
    const detail = `${nouns[local.kind]} here, ${nouns[next.kind]} in the release`;
    return { placed: mine, ...(next.kind === local.kind ? {} : clash('kind', detail)) };
  }
  return mergeSameKind(sides, { path, base, next, local }, kind, refused);
}

const gone: Decision = { placed: undefined };

const nouns: Readonly<Record<EtcEntry['kind'], string>> = {
  file: 'a file',
  directory: 'a folder',
  symlink: 'a link',
  special: 'neither file, folder nor link',
};

type Both = Joined & { readonly next: EtcEntry; readonly local: EtcEntry };

async function mergeSameKind(
  sides: Sides,
  { path, base, next, local }: Both,
  kind: PathKind,
  refused: Refused,
): Promise<Decision> {
  const before = base?.kind === next.kind ? base : undefined;
  // Where the local attributes are not known, no side counts as changed.
  const known = sides.local.hasXattrs;
  const { attributes, conflicts } = mergeAttributes(
    known || before === undefined ? before : { ...before, xattrs: next.xattrs },
    next,
    known ? local : { ...local, xattrs: next.xattrs },
  );
  const told: Clash | undefined =
    conflicts.length > 0 ? { reason: 'attributes', detail: conflicts.join('; ') } : undefined;
  if (next.kind === 'symlink' && local.kind === 'symlink') {
    const old = before?.kind === 'symlink' ? before.target : undefined;
    const { value, conflict } = chooseValue(old, next.target, local.target);
    const from = value === local.target ? local : next;
    const detail = `a link to ${local.target} here, to ${next.target} in the release`;
    return decision(
      placeEntry(from, 'local', attributes),
      conflict ? { reason: 'whole', detail } : told,
    );
  }
  if (next.kind !== 'file' || local.kind !== 'file') {
    return decision(placeEntry(local, 'local', attributes), told);
  }
  const versions = { base: before?.kind === 'file' ? before : undefined, next, local };
  const merged = await mergeFile(sides, path, versions, kind, refused);
  const { content } = merged;
  const mtime = content.from === 'both' ? Math.max(next.mtime, local.mtime) : content.file.mtime;
  return decision({ ...attributes, path, kind: 'file', content, mtime }, merged.clash ?? told);
}

async function mergeFile(
  sides: Sides,
  path: string,
  versions: Versions,
  kind: PathKind,
  refused: Refused,
): Promise<ContentMerged> {
  const file = kind === 'accounts' ? (path as AccountFile) : undefined;
  const names = (file && refused.get(decidedBy[file] ?? file)) ?? [];
  const merged = await mergeContent(sides, versions, file && { file, refused: names });
  if (file !== undefined) refused.set(file, merged.refused ?? []);
  return merged;
}

function decision(placed: Placed | undefined, clash: Clash | undefined): Decision {
  return clash === undefined ? { placed } : { placed, clash };
}

/** Whether nothing was changed here. Extended attributes that a copy has lost are no change. */
function unchanged(sides: Sides, base: EtcEntry, local: EtcEntry): Promise<boolean> {
  const kept = base.xattrs.filter(({ name }) => local.xattrs.some((xattr) => xattr.name === name));
  return sameEntry(sides, 'base', { ...base, xattrs: kept }, 'local', local);
}

/** Whether two sides have the same under a path: kind, content, mode, owner, extended attributes. */
export async function sameEntry(
  sides: Sides,
  from: keyof Sides,
  entry: EtcEntry,
  to: keyof Sides,
  other: EtcEntry,
): Promise<boolean> {
  return sameAttributes(entry, other) && (await sameInside(sides, from, entry, to, other));
}

/** Whether two sides have the same kind and content under a path, whatever its mode and owner. */
export async function sameInside(
  sides: Sides,
  from: keyof Sides,
  entry: EtcEntry,
  to: keyof Sides,
  other: EtcEntry,
): Promise<boolean> {
  if (entry.kind === 'file' && other.kind === 'file') {
    return sameContent([sides[from], entry], [sides[to], other]);
  }
  if (entry.kind === 'symlink' && other.kind === 'symlink') return entry.target === other.target;
  return entry.kind === other.kind;
}
