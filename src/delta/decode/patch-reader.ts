import { corruptDelta } from '../format/corrupt-delta.ts';
import { maxCopies, maxPatchSize } from '../format/delta-format.ts';
import { CopyList } from '../match/copy-list.ts';
import { type BtfBases, maxBtfBase } from '../pointers/btf/bases.ts';
import { elfHeaderRoom } from '../pointers/elf/header.ts';
import { readSegments } from '../pointers/elf/segments.ts';
import { allClasses, btfClasses } from '../pointers/pointer-class.ts';
import { Predictor } from '../pointers/predict/predictor.ts';
import type { PredictorMemory } from '../pointers/predict/predictor-memory.ts';
import { SiteFinder } from '../pointers/site-finder.ts';
import { pageSize } from '../pointers/sites.ts';
import type { Differences } from './differences.ts';
import type { Literals } from './literals.ts';
import type { OldFile } from './old-file.ts';
import type { StreamReader } from './stream-reader.ts';

/** The old bytes of so many copies are asked for before they are needed. */
const copiesAhead = 8;

/** A patch as the plan stream has it. */
export interface PatchShape {
  readonly newSize: number;
  readonly oldOffset: number;
  readonly oldSize: number;
  readonly mask: number;
  readonly copies: number;
}

/** What a patch's bytes are made of. */
export interface PatchStreams {
  readonly control: StreamReader;
  readonly literals: Literals;
  readonly differences: Differences;
  /** What predicting takes: of one patch after the other. */
  readonly memory: PredictorMemory;
}

/** Reads what is in the plan stream behind the kind and the length of a patch. Throws CORRUPT_DELTA. */
export function checkPatch(shape: PatchShape, baseSize: number, where: string): PatchShape {
  const { newSize, oldOffset, oldSize, mask, copies } = shape;
  const isInside = oldOffset >= 0 && oldOffset + oldSize <= baseSize;
  const isBounded = newSize <= maxPatchSize && oldSize <= maxPatchSize;
  if (
    isInside &&
    isBounded &&
    mask <= allClasses &&
    (mask & ~allClasses) === 0 &&
    copies <= Math.min(maxCopies, newSize)
  ) {
    return shape;
  }
  throw corruptDelta(
    `a patch of at most ${maxPatchSize} bytes, within the old image of ${baseSize}`,
    `${newSize} bytes of ${oldSize} at ${oldOffset}, mask ${mask}, ${copies} copies`,
    where,
  );
}

/** The copies of a patch: all of them are known before the first byte, since pointers lead anywhere. */
export async function readCopies(
  { newSize, oldSize, mask, copies: count }: PatchShape,
  { control, memory }: Pick<PatchStreams, 'control' | 'memory'>,
  where: string,
): Promise<CopyList> {
  if ((mask & btfClasses) !== 0) {
    memory.btf.bases = await readBases(control, memory.btf.bases, where);
  }
  const copies = new CopyList(count);
  let newEnd = 0;
  let oldEnd = 0;
  for (let index = 0; index < count; index++) {
    const newStart = newEnd + (await control.number());
    const length = await control.number();
    const oldStart = oldEnd + (await control.signed());
    newEnd = newStart + length;
    oldEnd = oldStart + length;
    if (length === 0 || newEnd > newSize || oldStart < 0 || oldEnd > oldSize) {
      throw corruptDelta(
        `a copy within ${newSize} and ${oldSize} bytes`,
        `${length} bytes from ${oldStart} to ${newStart}`,
        where,
      );
    }
    copies.set(index, { newStart, oldStart, length });
  }
  return copies;
}

/** What the numbers of types go on from in both files, each as what it is more than in the patch with types before; and how far names moved. */
async function readBases(control: StreamReader, last: BtfBases, where: string): Promise<BtfBases> {
  const read = async (before: number): Promise<number> => {
    const base = before + (await control.signed());
    if (base >= 0 && base <= maxBtfBase) return base;
    throw corruptDelta(`a number of types or names up to ${maxBtfBase}`, `${base}`, where);
  };
  const old = { types: await read(last.old.types), names: await read(last.old.names) };
  const bytes = { types: await read(last.new.types), names: await read(last.new.names) };
  return { old, new: bytes, namesMoved: await control.signed() };
}

/**
 * The bytes of a patched file, piece by piece; each is good until the next is asked for. The old file is
 * read page by page, and pointers are predicted as soon as the new file's own headers are there.
 */
export async function* patchedBytes(
  shape: PatchShape,
  old: OldFile,
  copies: CopyList,
  { literals, differences, memory }: PatchStreams,
): AsyncGenerator<Uint8Array> {
  const finder = shape.mask === 0 ? undefined : await SiteFinder.open(old);
  const headerEnd = Math.min(elfHeaderRoom, shape.newSize);
  const header = new Uint8Array(headerEnd);
  const buffer = new Uint8Array(pageSize);
  let predictor: Predictor | undefined;
  let newAt = 0;
  /** The next copy whose old bytes were not asked for yet. */
  let expected = 0;

  const leave = (bytes: Uint8Array): Uint8Array => {
    if (finder !== undefined && newAt < headerEnd) {
      header.set(bytes.subarray(0, headerEnd - newAt), newAt);
      const segments = newAt + bytes.length >= headerEnd ? readSegments(header) : undefined;
      if (segments !== undefined) {
        predictor = new Predictor(finder, copies, segments, memory);
      }
    }
    newAt += bytes.length;
    return bytes;
  };
  /** Pieces end where the header does, so that it is known for what follows. */
  const pieceEnd = (end: number): number => (newAt < headerEnd ? Math.min(end, headerEnd) : end);

  for (let index = 0; index <= copies.count; index++) {
    const isCopy = index < copies.count;
    const { newStart, oldStart, length } = isCopy
      ? copies.at(index)
      : { newStart: shape.newSize, oldStart: 0, length: 0 };
    while (newAt < newStart) {
      const bytes = buffer.subarray(0, pieceEnd(Math.min(newStart, newAt + pageSize)) - newAt);
      await literals.readInto(bytes);
      yield leave(bytes);
    }
    const shift = newStart - oldStart;
    expected = Math.max(expected, index);
    const farthest = Math.min(copies.count, index + copiesAhead);
    while (expected < farthest && old.expect(copies.oldStart[expected] ?? 0)) expected++;
    while (newAt < newStart + length) {
      const oldAt = newAt - shift;
      const pageStart = oldAt - (oldAt % pageSize);
      const page = old.pageNow(pageStart) ?? (await old.page(pageStart));
      const end = pieceEnd(Math.min(newStart + length, pageStart + pageSize + shift));
      const bytes = buffer.subarray(0, end - newAt);
      bytes.set(page.subarray(oldAt - pageStart, oldAt - pageStart + bytes.length));
      if (predictor === undefined) {
        const waiting = differences.addTo(bytes);
        if (waiting !== undefined) await waiting;
      } else {
        predictor.sitesOf(page, pageStart);
        const from = oldAt - pageStart;
        const moved = { from, to: from + bytes.length, mask: shape.mask, hint: index, shift };
        predictor.predictInto(bytes, moved);
        const waiting = differences.addTo(bytes);
        if (waiting !== undefined) await waiting;
        predictor.addNumbers(bytes, moved);
        predictor.learnFrom(bytes, moved);
      }
      yield leave(bytes);
    }
  }
}
