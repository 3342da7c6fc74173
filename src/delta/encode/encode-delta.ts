import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Progress } from '../../ports/progress.ts';
import { itemKind } from '../format/delta-format.ts';
import type { DeltaEnd } from '../format/header.ts';
import { compressDelta, type Effort, type UnsignedDelta } from './compress.ts';
import { type ImageFile, type ImageReader, takeApart } from './image-files.ts';
import { findPatch, writePatch } from './patch.ts';
import { References } from './references.ts';
import { DeltaSinks } from './sinks.ts';

/** A longer file is made in parts, each of the same part of the old one: bounds memory. */
const longestPart = 128 << 20;
const readSize = 1 << 20;

/** A commit's image, to be read. */
export interface ImageEnd extends DeltaEnd {
  readonly reader: ImageReader;
}

/** What one file of the new image takes in the delta, before compression. */
export interface Contribution {
  readonly path: string;
  readonly size: number;
  /** Where it comes from: the path of its reference. */
  readonly reference: string | undefined;
  readonly literals: number;
  readonly differences: number;
  readonly copies: number;
}

export interface EncodeOptions {
  readonly progress?: Progress | undefined;
  readonly effort?: Effort | undefined;
}

/**
 * Makes the delta from one image to another. The same images give the same bytes.
 *
 * Memory: the streams, and a pair of files at a time with an index (about five times the old one's
 * size, at most `longestPart` of it).
 */
export async function encodeDelta(
  from: ImageEnd,
  to: ImageEnd,
  { progress, effort }: EncodeOptions = {},
): Promise<{ readonly delta: UnsignedDelta; readonly contributions: readonly Contribution[] }> {
  const encoder = new DeltaEncoder(from.reader, to.reader);
  const old = await takeApart(from.reader, from.image);
  const parts = await takeApart(to.reader, to.image);
  const references = new References(old.files, from.reader);
  await encoder.addChanged(parts.superblock, old.superblock);
  for (const file of parts.files) {
    const same = await references.same(file, to.reader);
    if (same === undefined) await encoder.addChanged(file, references.similar(file));
    else encoder.addExtent(same.offset, same.size);
    progress?.(file.offset + file.size, to.image.size, 'comparing');
  }
  await encoder.addChanged(parts.tables, old.tables);
  const sinks = encoder.finish();
  return {
    delta: await compressDelta(from, to, sinks, effort),
    contributions: encoder.contributions,
  };
}

/** A part of an image. Bytes. */
interface Range {
  readonly offset: number;
  readonly size: number;
}

class DeltaEncoder {
  readonly contributions: Contribution[] = [];
  readonly #old: PositionedReader;
  readonly #new: PositionedReader;
  readonly #sinks = new DeltaSinks();
  /** A range that may go on with the next file. */
  #extent = { offset: 0, length: 0 };
  #oldEnd = 0;

  constructor(old: PositionedReader, bytes: PositionedReader) {
    this.#old = old;
    this.#new = bytes;
  }

  addExtent(offset: number, length: number): void {
    const isNext = this.#extent.offset + this.#extent.length === offset;
    if (!isNext || this.#extent.length === 0) this.#flush();
    if (this.#extent.length === 0) this.#extent = { offset, length };
    else this.#extent.length += length;
  }

  async addChanged(file: ImageFile, reference: ImageFile | undefined): Promise<void> {
    this.#flush();
    const { literals, differences } = this.#sinks;
    const before = { literals: literals.length, differences: differences.length };
    let copies = 0;
    for (let done = 0; done < file.size; done += longestPart) {
      const part = { offset: file.offset + done, size: Math.min(longestPart, file.size - done) };
      const oldSize = Math.min(longestPart, (reference?.size ?? 0) - done);
      if (reference === undefined || oldSize <= 0) {
        this.#addLiteral(await readRange(this.#new, part));
      } else {
        copies += await this.#addPatch(part, { offset: reference.offset + done, size: oldSize });
      }
    }
    this.contributions.push({
      path: file.path,
      size: file.size,
      reference: reference?.path,
      literals: literals.length - before.literals,
      differences: differences.length - before.differences,
      copies,
    });
  }

  finish(): DeltaSinks {
    this.#flush();
    this.#sinks.finish();
    return this.#sinks;
  }

  #addLiteral(bytes: Uint8Array): void {
    this.#sinks.plan.addNumber(itemKind.literal);
    this.#sinks.plan.addNumber(bytes.length);
    this.#sinks.literals.add(bytes);
  }

  async #addPatch(file: Range, reference: Range): Promise<number> {
    const { pair, patch } = await findPatch({
      old: () => readRange(this.#old, reference),
      bytes: () => readRange(this.#new, file),
    });
    if (patch.copies.count === 0) {
      this.#addLiteral(pair.bytes);
      return 0;
    }
    const { plan } = this.#sinks;
    plan.addNumber(itemKind.patch);
    plan.addNumber(file.size);
    plan.addSigned(reference.offset - this.#oldEnd);
    plan.addNumber(reference.size);
    plan.addNumber(patch.mask);
    plan.addNumber(patch.copies.count);
    this.#oldEnd = reference.offset + reference.size;
    writePatch(pair, patch, this.#sinks);
    return patch.copies.count;
  }

  #flush(): void {
    const { offset, length } = this.#extent;
    if (length === 0) return;
    this.#sinks.plan.addNumber(itemKind.extent);
    this.#sinks.plan.addNumber(length);
    this.#sinks.plan.addSigned(offset - this.#oldEnd);
    this.#oldEnd = offset + length;
    this.#extent = { offset: 0, length: 0 };
  }
}

/** Reads into memory that nothing else is in. */
async function readRange(image: PositionedReader, { offset, size }: Range): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += readSize) {
    bytes.set(await image.read(offset + at, Math.min(readSize, size - at)), at);
  }
  return bytes;
}
