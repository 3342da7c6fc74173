import { compareNames } from '../../ports/path-text.ts';
import type { EtcEntry } from '../walk.ts';
import type { EtcTree } from './tree.ts';

/** What the three sides have under one path; at least one has something. */
export interface Joined {
  readonly path: string;
  readonly base: EtcEntry | undefined;
  readonly next: EtcEntry | undefined;
  readonly local: EtcEntry | undefined;
}

/** The three trees a merge is of: what the old release ships, what the new one does, and what is here. */
export interface Sides {
  readonly base: EtcTree;
  readonly next: EtcTree;
  readonly local: EtcTree;
}

const names = ['base', 'next', 'local'] as const;

/** Walks three trees side by side, path by path, in the order that each of them has. Holds one entry of each. */
export async function* joinTrees(sides: Sides, path = ''): AsyncGenerator<Joined> {
  const walks = names.map((name) => sides[name].walk(path)[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(walks.map(nextEntry));
    for (;;) {
      const first = heads.reduce(
        (least, head) =>
          head !== undefined && (least === undefined || comparePaths(head.path, least.path) < 0)
            ? head
            : least,
        undefined,
      );
      if (first === undefined) return;
      const [base, next, local] = heads.map((head) =>
        head?.path === first.path ? head : undefined,
      );
      yield { path: first.path, base, next, local };
      for (const [index, walk] of walks.entries()) {
        if (heads[index]?.path === first.path) heads[index] = await nextEntry(walk);
      }
    }
  } finally {
    for (const walk of walks) await walk.return?.();
  }
}

async function nextEntry(walk: AsyncIterator<EtcEntry>): Promise<EtcEntry | undefined> {
  const { value, done } = await walk.next();
  return done ? undefined : value;
}

/** The order of a walk: a folder before what is in it, and what is in it before its sibling. */
export function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [index, name] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareNames(name, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
