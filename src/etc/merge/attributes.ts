import type { Xattr } from '../../ports/xattr-dump.ts';
import { chooseValue } from './three-way.ts';

/** What a file system keeps of an entry besides its content. */
export interface Attributes {
  /** The lower twelve bits of st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: readonly Xattr[];
}

export interface AttributesMerged {
  readonly attributes: Attributes;
  /** What both sides changed, in words: `mode 600 here, 644 in the release`. */
  readonly conflicts: readonly string[];
}

/** Merges mode, owner, group and each extended attribute, one by one. Without `base`, what differs is a conflict. */
export function mergeAttributes(
  base: Attributes | undefined,
  next: Attributes,
  local: Attributes,
): AttributesMerged {
  const conflicts: string[] = [];
  const number = (name: 'mode' | 'uid' | 'gid', radix: number): number => {
    const { value, conflict } = chooseValue(base?.[name] ?? -1, next[name], local[name]);
    const show = (side: Attributes) => side[name].toString(radix);
    if (conflict) conflicts.push(`${name} ${show(local)} here, ${show(next)} in the release`);
    return value;
  };
  const mode = number('mode', 8);
  const uid = number('uid', 10);
  const gid = number('gid', 10);
  const xattrs: Xattr[] = [];
  for (const name of attributeNames([base, next, local])) {
    const [before, after, here] = [base, next, local].map((side) => xattrValue(side, name));
    const { value, conflict } = chooseValue(before, after, here, sameValue);
    if (conflict) conflicts.push(`extended attribute ${name}`);
    if (value !== undefined) xattrs.push({ name, value });
  }
  return { attributes: { mode, uid, gid, xattrs }, conflicts };
}

/** Whether two entries have the same mode, owner and, unless they are unknown, extended attributes. */
export function sameAttributes(a: Attributes, b: Attributes): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  return attributeNames([a, b]).every((name) =>
    sameValue(xattrValue(a, name), xattrValue(b, name)),
  );
}

function attributeNames(sides: readonly (Attributes | undefined)[]): readonly string[] {
  return [...new Set(sides.flatMap((side) => side?.xattrs.map(({ name }) => name) ?? []))].sort();
}

function xattrValue(side: Attributes | undefined, name: string): Uint8Array | undefined {
  return side?.xattrs.find((xattr) => xattr.name === name)?.value;
}

function sameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
