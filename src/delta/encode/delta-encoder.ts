import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { itemKind, newestVersion } from '../format/delta-format.ts';
import { release } from '../match/release.ts';
import { codecOf } from '../recompress/codec.ts';
import { type FoundTable, findTables } from './find-tables.ts';
import type { ImageFile } from './image-files.ts';
import { findPacked, findWay, type PackedContent } from './packed-content.ts';
import { findPatch, PatchMemory, type WholeFile, writePatch } from './patch.ts';
import { releasePair } from './reference.ts';
import { DeltaSinks } from './sinks.ts';

/** A longer file is made in parts, each of the same part of the old one: bounds memory. */
const longestPart = 128 << 20;
const readSize = 1 << 20;

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

/** A part of an image. Bytes. */
interface Range {
  readonly offset: number;
  readonly size: number;
}

/** What is compressed in an old file and in a new one. */
interface PackedPair {
  readonly old: PackedContent;
  readonly bytes: PackedContent;
  /** The numbers with which the new one comes out again. */
  readonly way: readonly number[];
}

function before(file: Range, part: Range): Range {
  return { offset: file.offset, size: part.offset - file.offset };
}

function behind(file: Range, part: Range): Range {
  const offset = part.offset + part.size;
  return { offset, size: file.offset + file.size - offset };
}

/** Writes the items of a delta, in the order of the new image. */
export class DeltaEncoder {
  readonly contributions: Contribution[] = [];
  readonly #old: PositionedReader;
  readonly #new: PositionedReader;
  readonly #sinks = new DeltaSinks();
  readonly #memory = new PatchMemory();
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
    const copies =
      reference === undefined
        ? await this.#addParts(file, undefined)
        : await this.#addOfReference(file, reference);
    this.contributions.push({
      path: file.path,
      size: file.size,
      reference: reference?.path,
      literals: literals.length - before.literals,
      differences: differences.length - before.differences,
      copies,
    });
  }

  async #addParts(file: Range, reference: Range | undefined): Promise<number> {
    let copies = 0;
    for (let done = 0; done < file.size; done += longestPart) {
      const part = { offset: file.offset + done, size: Math.min(longestPart, file.size - done) };
      const oldSize = Math.min(longestPart, (reference?.size ?? 0) - done);
      if (reference === undefined || oldSize <= 0) {
        const bytes = new Uint8Array(part.size);
        await fileOf(this.#new, part).readInto(bytes);
        this.#addLiteral(bytes, findTables(bytes));
        release(bytes);
      } else {
        copies += await this.#addPatch(part, { offset: reference.offset + done, size: oldSize });
      }
    }
    return copies;
  }

  /** The compressed parts of two files whose content can be compared: the new one comes out the same when it is compressed again. */
  async #findPacked(file: Range, reference: Range): Promise<PackedPair | undefined> {
    const bytes = await findPacked(this.#new, file, longestPart);
    const old = bytes && (await findPacked(this.#old, reference, longestPart));
    if (old === undefined || bytes === undefined || old.codec !== bytes.codec) return undefined;
    const way = await findWay(this.#new, bytes);
    return way && { old, bytes, way };
  }

  /** Where both have a compressed part: its content, and what is before and behind it. */
  async #addOfReference(file: Range, reference: Range): Promise<number> {
    const packed = await this.#findPacked(file, reference);
    if (packed === undefined) return this.#addParts(file, reference);
    const { old, bytes } = packed;
    let copies = await this.#addParts(before(file, bytes), before(reference, old));
    copies += await this.#addContent(packed);
    return copies + (await this.#addParts(behind(file, bytes), behind(reference, old)));
  }

  async #addContent({ old, bytes, way }: PackedPair): Promise<number> {
    const source = {
      old: { size: old.contentSize, readInto: old.expandInto },
      bytes: { size: bytes.contentSize, readInto: bytes.expandInto },
    };
    const { pair, patch } = await findPatch(source, this.#memory);
    const { plan, control } = this.#sinks;
    plan.addNumber(itemKind.recompressed);
    plan.addNumber(bytes.size);
    plan.addNumber(bytes.codec);
    plan.addSigned(old.offset - this.#oldEnd);
    plan.addNumber(old.size);
    plan.addNumber(old.contentSize);
    plan.addNumber(bytes.contentSize);
    plan.addNumber(patch.mask);
    plan.addNumber(patch.copies.count);
    this.#oldEnd = old.offset + old.size;
    for (const parameter of way) control.addNumber(parameter);
    writePatch(pair, patch, this.#sinks);
    releasePair(pair);
    this.#sinks.scratch = Math.max(this.#sinks.scratch, old.contentSize);
    const version = codecOf(bytes.codec)?.versionFor(way) ?? newestVersion;
    this.#sinks.version = Math.max(this.#sinks.version, version);
    return patch.copies.count;
  }

  finish(): DeltaSinks {
    this.#flush();
    this.#memory.index.release();
    this.#sinks.finish();
    return this.#sinks;
  }

  #addLiteral(bytes: Uint8Array, tables: readonly FoundTable[]): void {
    this.#sinks.plan.addNumber(itemKind.literal);
    this.#sinks.plan.addNumber(bytes.length);
    this.#sinks.addLiterals(bytes, tables);
  }

  async #addPatch(file: Range, reference: Range): Promise<number> {
    const source = {
      old: fileOf(this.#old, reference),
      bytes: fileOf(this.#new, file),
    };
    const { pair, patch } = await findPatch(source, this.#memory);
    if (patch.copies.count === 0) {
      this.#addLiteral(pair.bytes, patch.tables);
      releasePair(pair);
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
    releasePair(pair);
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

/** A part of an image. */
function fileOf(image: PositionedReader, { offset, size }: Range): WholeFile {
  const readInto = async (memory: Uint8Array<ArrayBuffer>): Promise<void> => {
    for (let at = 0; at < size; at += readSize) {
      const into = Buffer.from(memory.buffer, at, Math.min(readSize, size - at));
      const bytes = await image.read(offset + at, into.length, into);
      if (bytes.buffer !== memory.buffer) memory.set(bytes, at);
    }
  };
  return { size, readInto };
}
