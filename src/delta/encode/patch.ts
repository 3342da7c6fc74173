import { bytesReader } from '../../ports/positioned-reader.ts';
import { maxCopies } from '../format/delta-format.ts';
import { CopyList } from '../match/copy-list.ts';
import { findCopies } from '../match/find-copies.ts';
import { SeedIndex } from '../match/seed-index.ts';
import { noBases } from '../pointers/btf/bases.ts';
import { BtfMemory } from '../pointers/btf/memory.ts';
import { btfClasses } from '../pointers/pointer-class.ts';
import { PredictorMemory } from '../pointers/predict/predictor-memory.ts';
import { SiteFinder } from '../pointers/site-finder.ts';
import type { SiteSource } from '../pointers/site-source.ts';
import { anchorCopies } from './anchors.ts';
import type { FoundTable } from './find-tables.ts';
import { markObject } from './mark-object.ts';
import { markPointers, noValues, sameValues, writePointers } from './mark-pointers.ts';
import { offTables, tablesWithin } from './off-tables.ts';
import { findBases, type ModuleBases, markTypes, writeBases } from './pair-types.ts';
import {
  chooseMask,
  type FilePair,
  isPredictable,
  movedValues,
  referencePieces,
} from './reference.ts';
import { RememberedSites } from './remembered-sites.ts';
import type { DeltaSinks } from './sinks.ts';

/** How a new file is made of an old one. */
export interface Patch {
  readonly copies: CopyList;
  /** Classes of pointers that are predicted. */
  readonly mask: number;
  /** Tables of points between the copies. */
  readonly tables: readonly FoundTable[];
}

/** A file that can be read as a whole, again and again. */
export interface WholeFile {
  readonly size: number;
  /** Fills memory of that size. */
  readInto(memory: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The two files of a patch. */
export interface PatchSource {
  readonly old: WholeFile;
  readonly bytes: WholeFile;
}

/** Of longer old files the index is made anew each time: few files are, and its memory is worth more than the time. */
const longestKept = 16 << 20;

/** What finding patches takes, for one after the other: made anew for each it would be taken back too late. */
export class PatchMemory {
  readonly index = new SeedIndex();
  readonly predictor = new PredictorMemory();
  readonly trial = new BtfMemory();
  /** What the numbers of types in the next module probably go on from. */
  nextBases: ModuleBases = noBases;
}

/** Finds how to make a file of an old one. The patch has to be written before `memory` is used for the next. */
export async function findPatch(
  source: PatchSource,
  memory: PatchMemory,
): Promise<{ readonly pair: FilePair; readonly patch: Patch }> {
  const { index, predictor, trial } = memory;
  const [old, bytes] = [new Uint8Array(source.old.size), new Uint8Array(source.bytes.size)];
  await readBoth(source, old, bytes);
  const finder = await openSites(old);
  const pair = { old, bytes, finder, memory: predictor, trial };
  const newFinder = finder && (await openSites(bytes));
  memory.nextBases = findBases(pair, newFinder, memory.nextBases);
  const found = await findTwice(pair, newFinder, source, index);
  newFinder?.release();
  if (old.length > longestKept) index.release();
  const areBoth = finder !== undefined && newFinder !== undefined;
  const anchored = areBoth ? anchorCopies(found, finder.elf, newFinder.elf) : found;
  const { copies: outside, tables } = offTables(bytes, anchored);
  const copies = atMost(maxCopies, outside);
  return { pair, patch: { copies, mask: chooseMask(pair, copies), tables } };
}

async function readBoth(
  source: PatchSource,
  old: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await source.old.readInto(old);
  await source.bytes.readInto(bytes);
}

async function openSites(file: Uint8Array): Promise<RememberedSites | undefined> {
  const finder = await SiteFinder.open(bytesReader(file));
  return finder && new RememberedSites(finder, file.length);
}

/**
 * Where pointers can be predicted it looks twice: first at both files without their pointers, then at the old one with its pointers
 * moved, in which longer matches show. Both files are as they were afterwards.
 */
async function findTwice(
  pair: FilePair,
  newFinder: SiteSource | undefined,
  source: PatchSource,
  index: SeedIndex,
): Promise<CopyList> {
  const { old, bytes, finder } = pair;
  if (finder === undefined || newFinder === undefined) return findCopies(old, bytes, index);
  const areObjects = [finder, newFinder].every(({ elf }) => elf.objectFile !== undefined);
  if (areObjects) {
    markObject(old, finder);
    markObject(bytes, newFinder);
  } else {
    markPointers(old, finder, noValues(finder));
    markPointers(bytes, newFinder, noValues(newFinder));
  }
  markTypes(pair, newFinder);
  const first = findCopies(old, bytes, index);
  await readBoth(source, old, bytes);
  const moved = isPredictable(pair, first) ? movedValues(pair, first) : undefined;
  if (moved === undefined) return first;
  if (areObjects) {
    writePointers(old, moved);
  } else {
    markPointers(old, finder, moved);
    markPointers(bytes, newFinder, sameValues(newFinder));
  }
  markTypes(pair, newFinder);
  const second = findCopies(old, bytes, index);
  await readBoth(source, old, bytes);
  return second;
}

/** The longest copies, in their order, when there are more than a decoder takes. */
function atMost(limit: number, copies: CopyList): CopyList {
  if (copies.count <= limit) return copies;
  const all = Array.from({ length: copies.count }, (_, index) => copies.at(index));
  const longest = all.toSorted((a, b) => b.length - a.length).slice(0, limit);
  return CopyList.from(longest.sort((a, b) => a.newStart - b.newStart));
}

/** Writes a patch into the streams. */
export function writePatch(
  pair: FilePair,
  { copies, mask, tables }: Patch,
  sinks: DeltaSinks,
): void {
  const addLiterals = (from: number, to: number): void => {
    sinks.addLiterals(pair.bytes.subarray(from, to), tablesWithin(tables, from, to));
  };
  if ((mask & btfClasses) !== 0) writeBases(pair, sinks);
  let newEnd = 0;
  let oldEnd = 0;
  for (let index = 0; index < copies.count; index++) {
    const { newStart, oldStart, length } = copies.at(index);
    sinks.control.addNumber(newStart - newEnd);
    sinks.control.addNumber(length);
    sinks.control.addSigned(oldStart - oldEnd);
    addLiterals(newEnd, newStart);
    newEnd = newStart + length;
    oldEnd = oldStart + length;
  }
  addLiterals(newEnd, pair.bytes.length);
  for (const { newStart, reference } of referencePieces(pair, copies, mask)) {
    const bytes = pair.bytes.subarray(newStart, newStart + reference.length);
    sinks.addDifference(bytes, reference);
  }
}
