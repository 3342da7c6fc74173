import { GVariantError } from './codec.ts';

/** The next multiple of `alignment` at or after `position`. */
export function align(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}

/** Bytes that each framing offset takes in a container of `size` bytes in all. */
export function offsetWidth(size: number): number {
  if (size === 0) return 0;
  if (size <= 0xff) return 1;
  if (size <= 0xffff) return 2;
  return size <= 0xffffffff ? 4 : 8;
}

/** Reads framing offset number `index` of those that start at `position`. */
export function readOffset(
  container: Buffer,
  position: number,
  index: number,
  width: number,
): number {
  const at = position + index * width;
  if (width === 0 || at < 0 || at + width > container.length) {
    throw new GVariantError('framing offsets outside of their container');
  }
  return width === 8
    ? Number(container.readBigUInt64LE(at))
    : container.readUIntLE(at, width as 1 | 2 | 4);
}

/** A body with the end offsets of its children behind it, each as wide as the whole needs. */
export function frame(body: Buffer, ends: readonly number[]): Buffer {
  if (ends.length === 0) return body;
  const width = [1, 2, 4, 8].find((size) => {
    const total = body.length + size * ends.length;
    return offsetWidth(total) <= size;
  });
  const offsets = Buffer.alloc(ends.length * (width ?? 8));
  ends.forEach((end, index) => {
    if (width === 8) offsets.writeBigUInt64LE(BigInt(end), index * 8);
    else offsets.writeUIntLE(end, index * (width ?? 8), width ?? 4);
  });
  return Buffer.concat([body, offsets]);
}

/** Puts children one after the other, each at its alignment. */
export class BodyWriter {
  readonly #pieces: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(child: Buffer, alignment: number): void {
    this.pad(alignment);
    this.#pieces.push(child);
    this.#length += child.length;
  }

  pad(alignment: number): void {
    const padding = align(this.#length, alignment) - this.#length;
    if (padding > 0) this.#pieces.push(Buffer.alloc(padding));
    this.#length += padding;
  }

  finish(): Buffer {
    return Buffer.concat(this.#pieces, this.#length);
  }
}
