import { addressOf, type Segment } from '../elf/segments.ts';
import type { CopyMap } from './copy-map.ts';

/** Tells where what an old file's addresses mean is in the memory of the new one. */
export class AddressMap {
  readonly #oldSegments: readonly Segment[];
  readonly #newSegments: readonly Segment[];
  readonly #copies: CopyMap;
  /** Of the address asked for last: whether a copy close by has it, which is as good as certain. */
  isNear = false;
  /** And whether it is memory behind the content of the file, which is in no copy. */
  isMemory = false;

  constructor(oldSegments: readonly Segment[], newSegments: readonly Segment[], copies: CopyMap) {
    this.#oldSegments = oldSegments;
    this.#newSegments = newSegments;
    this.#copies = copies;
  }

  /** The new address, as the copy `hint` has it or one beside it, or else any. */
  find(address: number, hint: number): number | undefined {
    const segments = this.#oldSegments;
    this.isNear = false;
    this.isMemory = false;
    for (let index = 0; index < segments.length; index++) {
      const segment = segments[index];
      if (segment === undefined) continue;
      const inside = address - segment.address;
      if (inside < 0 || inside > segment.memorySize) continue;
      if (inside < segment.fileSize) {
        const offset = segment.offset + inside;
        const near = this.#copies.near(offset, hint);
        this.isNear = near >= 0;
        const copy = near < 0 ? this.#copies.best(offset) : near;
        return this.ofOffset(offset + this.#copies.shift(copy));
      }
      // Memory that no file content is loaded into keeps its distance from the content before it.
      const moved = this.#newSegments[index];
      if (moved === undefined) return undefined;
      this.isMemory = true;
      return moved.address + moved.fileSize + inside - segment.fileSize;
    }
    return undefined;
  }

  /** The address of a byte of the new file. */
  ofOffset(offset: number): number | undefined {
    return addressOf(this.#newSegments, offset);
  }
}
