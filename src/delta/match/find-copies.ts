import { type Copy, CopyList } from './copy-list.ts';
import { extendCores } from './extend.ts';
import { type Match, type SeedIndex, viewOf } from './seed-index.ts';

/** Another place of the old file is taken when it has so many more equal bytes than going on would. */
const worthAJump = 4;
/** After so many bytes without a long run on the same diagonal, a run begins a copy of its own. */
export const longestGap = 2048;

/**
 * Finds what `bytes` can take from `old`: exact matches of at least a seed, joined while they lie on
 * one diagonal, and extended to both sides while at least half of the bytes are equal. The same
 * input gives the same copies. The old file is entered into `index`.
 */
export function findCopies(old: Uint8Array, bytes: Uint8Array, index: SeedIndex): CopyList {
  index.enter(old);
  return CopyList.from(extendCores(old, bytes, findCores(old, bytes, index)));
}

/** The copies that are sure, from the first to the last long run of equal bytes in each. */
function findCores(old: Uint8Array, bytes: Uint8Array, index: SeedIndex): Copy[] {
  const { seed } = index;
  const view = viewOf(bytes);
  const cores: Copy[] = [];
  const match: Match = { oldStart: 0, length: 0 };
  let core: { newStart: number; oldStart: number; length: number } | undefined;
  let diagonal = 0;
  /** Zeros that both have on the diagonal, behind the core. */
  let zeros = 0;
  const take = (newStart: number, length: number): void => {
    const gap = core === undefined ? 0 : newStart - core.newStart - core.length - zeros;
    zeros = 0;
    if (core !== undefined && core.oldStart - core.newStart === diagonal && gap <= longestGap) {
      core.length = newStart + length - core.newStart;
      return;
    }
    core = { newStart, oldStart: newStart + diagonal, length };
    cores.push(core);
  };

  for (let at = 0; at < bytes.length; ) {
    const run = equalRun(old, at + diagonal, bytes, at);
    if (run >= seed) {
      // Padding, and tables that are mostly zeros, have runs of them on any diagonal.
      if (isZero(bytes, at, run)) zeros += run;
      else take(at, run);
      at += run;
      continue;
    }
    if (index.longest(bytes, view, at, match)) {
      const { oldStart, length } = match;
      if (length > countEqual(old, at + diagonal, bytes, at, length) + worthAJump) {
        diagonal = oldStart - at;
        zeros = 0;
        take(at, length);
        at += length;
        continue;
      }
    }
    at += Math.max(1, run);
  }
  return cores;
}

function isZero(bytes: Uint8Array, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** How many bytes are equal from here on. */
function equalRun(old: Uint8Array, oldAt: number, bytes: Uint8Array, at: number): number {
  if (oldAt < 0) return 0;
  const limit = Math.min(old.length - oldAt, bytes.length - at);
  let length = 0;
  while (length < limit && old[oldAt + length] === bytes[at + length]) length++;
  return length;
}

function countEqual(
  old: Uint8Array,
  oldAt: number,
  bytes: Uint8Array,
  at: number,
  length: number,
): number {
  let equal = 0;
  const from = Math.max(0, -oldAt);
  const to = Math.min(length, old.length - oldAt);
  for (let offset = from; offset < to; offset++) {
    if (old[oldAt + offset] === bytes[at + offset]) equal++;
  }
  return equal;
}
