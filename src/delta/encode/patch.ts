import { bytesReader } from '../../ports/positioned-reader.ts';
import { maxCopies } from '../format/delta-format.ts';
import { CopyList } from '../match/copy-list.ts';
import { findCopies } from '../match/find-copies.ts';
import { release } from '../match/release.ts';
import { SiteFinder, type SiteSource } from '../pointers/site-finder.ts';
import { markObject } from './mark-object.ts';
import { markPointers, noValues, sameValues, writePointers } from './mark-pointers.ts';
import { chooseMask, type FilePair, movedValues, referencePieces } from './reference.ts';
import { rememberSites } from './remembered-sites.ts';
import type { DeltaSinks } from './sinks.ts';

/** How a new file is made of an old one. */
export interface Patch {
  readonly copies: CopyList;
  /** Classes of pointers that are predicted. */
  readonly mask: number;
}

/** Reads the two files of a patch, each time into memory of its own. */
export interface PatchSource {
  readonly old: () => Promise<Uint8Array>;
  readonly bytes: () => Promise<Uint8Array>;
}

/**
 * Finds how to make a file of an old one. Where pointers can be predicted it looks twice: first at both files
 * without their pointers, then at the old one with its pointers moved, in which longer matches show.
 */
export async function findPatch(
  source: PatchSource,
): Promise<{ readonly pair: FilePair; readonly patch: Patch }> {
  const first = await findWithoutPointers(source);
  const { pair, newFinder } = first;
  if (chooseMask(pair, first.copies) === 0) {
    first.index.release();
    return { pair, patch: { copies: atMost(maxCopies, first.copies), mask: 0 } };
  }
  const moved = movedValues(pair, first.copies);
  if (pair.finder !== undefined && newFinder !== undefined && moved !== undefined) {
    if (areObjects(pair.finder, newFinder)) {
      writePointers(pair.old, moved);
    } else {
      markPointers(pair.old, pair.finder, moved);
      markPointers(pair.bytes, newFinder, sameValues(newFinder));
    }
  }
  const second = findCopies(pair.old, pair.bytes, first.index);
  // It has the memory of the first one.
  second.index.release();
  const copies = atMost(maxCopies, second.copies);
  const fresh = await readAgain(pair, source);
  return { pair: fresh, patch: { copies, mask: chooseMask(fresh, copies) } };
}

async function findWithoutPointers(source: PatchSource) {
  const [old, bytes] = [await source.old(), await source.bytes()];
  const opened = await SiteFinder.open(bytesReader(old));
  const finder = opened && rememberSites(opened, old.length);
  const newOpened = finder && (await SiteFinder.open(bytesReader(bytes)));
  const newFinder = newOpened && rememberSites(newOpened, bytes.length);
  if (finder === undefined || newFinder === undefined)
    return { pair: { old, bytes, finder }, newFinder, ...findCopies(old, bytes) };
  if (areObjects(finder, newFinder)) {
    markObject(old, finder);
    markObject(bytes, newFinder);
  } else {
    markPointers(old, finder, noValues(finder));
    markPointers(bytes, newFinder, noValues(newFinder));
  }
  const found = findCopies(old, bytes);
  return { pair: await readAgain({ old, bytes, finder }, source), newFinder, ...found };
}

function areObjects(...finders: readonly SiteSource[]): boolean {
  return finders.every(({ elf }) => elf.objectFile !== undefined);
}

/** The files as they are, in place of what was made of them. */
async function readAgain({ old, bytes, finder }: FilePair, source: PatchSource): Promise<FilePair> {
  release(old);
  release(bytes);
  return { old: await source.old(), bytes: await source.bytes(), finder };
}

/** The longest copies, in their order, when there are more than a decoder takes. */
function atMost(limit: number, copies: CopyList): CopyList {
  if (copies.count <= limit) return copies;
  const all = Array.from({ length: copies.count }, (_, index) => copies.at(index));
  const longest = all.toSorted((a, b) => b.length - a.length).slice(0, limit);
  return CopyList.from(longest.sort((a, b) => a.newStart - b.newStart));
}

/** Writes a patch into the streams. */
export function writePatch(pair: FilePair, { copies, mask }: Patch, sinks: DeltaSinks): void {
  let newEnd = 0;
  let oldEnd = 0;
  for (let index = 0; index < copies.count; index++) {
    const { newStart, oldStart, length } = copies.at(index);
    sinks.control.addNumber(newStart - newEnd);
    sinks.control.addNumber(length);
    sinks.control.addSigned(oldStart - oldEnd);
    sinks.literals.add(pair.bytes.subarray(newEnd, newStart));
    newEnd = newStart + length;
    oldEnd = oldStart + length;
  }
  sinks.literals.add(pair.bytes.subarray(newEnd));
  for (const { newStart, reference } of referencePieces(pair, copies, mask)) {
    const bytes = pair.bytes.subarray(newStart, newStart + reference.length);
    sinks.addDifference(bytes, reference);
  }
}
