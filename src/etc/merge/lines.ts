import { isUtf8 } from 'node:buffer';

/** Larger files are merged as a whole, in bytes. */
export const largestText = 1024 * 1024;
/** Lines of one text: each is an object of its own (S9). */
const mostLines = 20_000;
/** Steps that a comparison of two texts may take: the time grows with the product of their lines. */
const mostSteps = 100_000_000;
/** Pairs of equal lines of two texts: a comparison may remember something of each (S9). */
const mostPairs = 100_000;

/** A file that can be merged line by line: UTF-8 without NUL bytes. */
export function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

export type LinesMerged =
  | { readonly kind: 'merged'; readonly text: string }
  /** Which lines of the local file are in the way, and how many places there are: `lines 3 to 5`. */
  | { readonly kind: 'conflict'; readonly detail: string }
  /** Too many lines that differ to compare them in bounded time. */
  | { readonly kind: 'too-long' };

/**
 * Merges a text three ways, line by line (diff3, as git does). Changes that touch each other are a conflict, unless
 * they are the same. A missing line end at the end of a file is part of its last line.
 */
export async function mergeLines(base: string, next: string, local: string): Promise<LinesMerged> {
  if ([base, next, local].some(hasManyLines)) return { kind: 'too-long' };
  const sides = [base, next, local].map((text) => text.split(/(?<=\n)/));
  const [old = [], theirs = [], ours = []] = sides;
  const start = commonStart(old, theirs, ours);
  const end = commonEnd(old, theirs, ours, start);
  const middle = (lines: string[]) => lines.slice(start, lines.length - end);
  const longest = Math.max(middle(theirs).length, middle(ours).length);
  if (middle(old).length * longest > mostSteps) return { kind: 'too-long' };
  for (const side of [theirs, ours]) {
    if (equalPairs(middle(old), middle(side)) > mostPairs) return { kind: 'too-long' };
  }

  const { diff3Merge } = await import('node-diff3');
  const regions = diff3Merge(middle(ours), middle(old), middle(theirs), {
    excludeFalseConflicts: true,
  });
  const merged = ours.slice(0, start);
  const places: string[] = [];
  for (const { ok, conflict } of regions) {
    if (ok !== undefined) for (const line of ok) merged.push(line);
    if (conflict === undefined) continue;
    const first = start + conflict.aIndex + 1;
    const last = first + conflict.a.length - 1;
    places.push(placeOf(first, last));
  }
  if (places.length > 0) return { kind: 'conflict', detail: describePlaces(places) };
  for (const line of ours.slice(ours.length - end)) merged.push(line);
  return { kind: 'merged', text: merged.join('') };
}

function hasManyLines(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    count += 1;
    if (count > mostLines) return true;
  }
  return false;
}

function equalPairs(one: readonly string[], other: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of one) counts.set(line, (counts.get(line) ?? 0) + 1);
  return other.reduce((sum, line) => sum + (counts.get(line) ?? 0), 0);
}

function placeOf(first: number, last: number): string {
  if (last < first) return `before line ${first}`;
  return last === first ? `line ${first}` : `lines ${first} to ${last}`;
}

function describePlaces(places: readonly string[]): string {
  const told = places.slice(0, 5).join(', ');
  return `both sides changed it: here ${told}${places.length > 5 ? ', and more' : ''}`;
}

/** Lines that all three begin with. */
function commonStart(a: string[], b: string[], c: string[]): number {
  const most = Math.min(a.length, b.length, c.length);
  let count = 0;
  while (count < most && a[count] === b[count] && a[count] === c[count]) count += 1;
  return count;
}

/** Lines that all three end with, after the first `start`. */
function commonEnd(a: string[], b: string[], c: string[], start: number): number {
  const most = Math.min(a.length, b.length, c.length) - start;
  let count = 0;
  while (
    count < most &&
    a.at(-1 - count) === b.at(-1 - count) &&
    a.at(-1 - count) === c.at(-1 - count)
  ) {
    count += 1;
  }
  return count;
}
