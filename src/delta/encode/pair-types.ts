import type { BtfBases } from '../pointers/btf/bases.ts';
import type { SiteSource } from '../pointers/site-source.ts';
import { findBase } from './btf-base.ts';
import { markBtf } from './mark-btf.ts';
import type { FilePair } from './reference.ts';
import type { DeltaSinks } from './sinks.ts';

/** What the numbers of types in modules go on from, in old ones and in new ones. */
export type ModuleBases = Pick<BtfBases, 'old' | 'new'>;

/** Finds what the numbers of types in both files go on from, for the pair's trial; and what those of the next module probably do. */
export function findBases(
  { old, bytes, finder, trial }: FilePair,
  newFinder: SiteSource | undefined,
  guess: ModuleBases,
): ModuleBases {
  const [before, after] = [finder?.elf.btf, newFinder?.elf.btf];
  if (before === undefined || after === undefined) return guess;
  const one = findBase(old, before, guess.old);
  const other = findBase(bytes, after, guess.new);
  const namesMoved = after.names.offset - before.names.offset;
  trial.bases = { old: one.base, new: other.base, namesMoved };
  return { old: one.next, new: other.next };
}

/** Puts marks into the types of both files. All else is marked before: where pointers are is told by the files as they are. */
export function markTypes(
  { old, bytes, finder, memory, trial }: FilePair,
  newFinder: SiteSource,
): void {
  const [before, after] = [finder?.elf.btf, newFinder.elf.btf];
  if (before === undefined || after === undefined) return;
  const { bases } = trial;
  markBtf(old, { layout: before, base: bases.old, known: memory.btf });
  markBtf(bytes, { layout: after, base: bases.new, known: undefined });
}

/** What the numbers of types go on from, as what it is more than in the patch with types before. */
export function writeBases({ memory: { btf }, trial }: FilePair, { control }: DeltaSinks): void {
  const [last, bases] = [btf.bases, trial.bases];
  for (const end of ['old', 'new'] as const) {
    control.addSigned(bases[end].types - last[end].types);
    control.addSigned(bases[end].names - last[end].names);
  }
  control.addSigned(bases.namesMoved);
  btf.bases = bases;
}
