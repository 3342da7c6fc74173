import type { ObjectSource } from '../plan/object-source.ts';
import type { Plan } from '../plan/plan-file.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';

/** A segment of an image: an object (by its checksum), zeros, or bytes that only this image has. */
type Content = { readonly object: string } | 'zeros' | 'literal';

/**
 * An image of which only what is read is made: its plan tells what lies where, and an object's content is put into `file`
 * when it is asked for first. Memory: some hundred bytes for each segment.
 */
export class PlannedImage implements PositionedReader {
  readonly size: number;
  readonly #file: BlockDevice;
  readonly #objects: ObjectSource;
  readonly #starts: number[] = [];
  readonly #contents: Content[] = [];
  /** Segments whose content is in the file. */
  readonly #made = new Set<number>();

  private constructor(file: BlockDevice, size: number, objects: ObjectSource) {
    this.#file = file;
    this.size = size;
    this.#objects = objects;
  }

  /** `file` is all zeros, and as long as the image. Throws CORRUPT_PLAN. */
  static async open(plan: Plan, file: BlockDevice, objects: ObjectSource): Promise<PlannedImage> {
    const image = new PlannedImage(file, plan.imageSize, objects);
    let position = 0;
    for await (const segment of plan.segments()) {
      image.#starts.push(position);
      if (segment.kind === 'object') image.#contents.push({ object: segment.checksum });
      else image.#contents.push(segment.kind === 'zeros' ? 'zeros' : 'literal');
      if (segment.kind === 'literal') await file.write(position, segment.bytes);
      position += segment.length;
    }
    return image;
  }

  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    if (length > 0) {
      const last = this.#segmentAt(position + length - 1);
      for (let index = this.#segmentAt(position); index <= last; index++) await this.#make(index);
    }
    return this.#file.read(position, length, into);
  }

  /** The object whose content begins at a byte; `undefined` when none does. */
  objectAt(position: number): string | undefined {
    const index = this.#segmentAt(position);
    const content = this.#contents[index];
    const isObject = typeof content === 'object' && this.#starts[index] === position;
    return isObject ? content.object : undefined;
  }

  /** Whether both plans have the same at two places for so many bytes; what they do not tell is read and compared. */
  async hasSame(position: number, length: number, other: PlannedImage, at: number) {
    const end = position + length;
    for (let index = this.#segmentAt(position); index < this.#starts.length; index++) {
      const [start, next] = [this.#starts[index] ?? 0, this.#starts[index + 1] ?? this.size];
      if (start >= end) break;
      const part = { from: Math.max(start, position), to: Math.min(next, end) };
      const theirs = other.#segmentAt(at + start - position);
      const begins = other.#starts[theirs] === at + start - position;
      const [ours, others] = [this.#contents[index], other.#contents[theirs]];
      const isSame =
        typeof ours === 'object' && typeof others === 'object' && ours.object === others.object;
      if (begins && isSame) continue;
      const bytes = await other.read(at + part.from - position, part.to - part.from);
      if (!(await this.hasBytes(part.from, bytes))) return false;
    }
    return true;
  }

  /** Whether these bytes are in the image at a place. */
  async hasBytes(position: number, bytes: Uint8Array): Promise<boolean> {
    if (position + bytes.length > this.size) return false;
    return (await this.read(position, bytes.length)).equals(bytes);
  }

  async #make(index: number): Promise<void> {
    const content = this.#contents[index];
    if (typeof content !== 'object' || this.#made.has(index)) return;
    const start = this.#starts[index] ?? 0;
    let position = start;
    const length = (this.#starts[index + 1] ?? this.size) - start;
    for await (const bytes of this.#objects.open(content.object, length)) {
      await this.#file.write(position, bytes);
      position += bytes.length;
    }
    this.#made.add(index);
  }

  /** The number of the segment that has a byte. */
  #segmentAt(position: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
