import { limits, refuseTree } from '../limits.ts';
import { blockPositions, storeMetadata } from './metadata-stream.ts';

/** The user and group ids of an image, in the order in which inodes first name them. */
export class IdTable {
  readonly #indexes = new Map<number, number>();

  get count(): number {
    return this.#indexes.size;
  }

  /** The number under which inodes name `id`; `path` says where, for the error. */
  indexOf(id: number, path: string): number {
    const known = this.#indexes.get(id);
    if (known !== undefined) return known;
    if (!Number.isInteger(id) || id < 0 || id > 0xffffffff) {
      refuseTree('INPUT_OWNER', 'an owner is not a user or group id', {
        expected: 'a whole number of 32 bits',
        found: String(id),
        where: path,
      });
    }
    const index = this.#indexes.size;
    if (index >= limits.ids) {
      refuseTree('INPUT_TOO_MANY_OWNERS', 'the tree has more owners than an image can name', {
        expected: `at most ${limits.ids} different user and group ids`,
        found: 'one more',
        where: path,
      });
    }
    this.#indexes.set(id, index);
    return index;
  }

  /** The table for position `start` of the image; the superblock points to `arrayStart`. */
  encode(start: number): { readonly bytes: Buffer; readonly arrayStart: number } {
    const payload = Buffer.alloc(this.count * 4);
    for (const [id, index] of this.#indexes) payload.writeUInt32LE(id, index * 4);
    const blocks = storeMetadata(payload);
    return {
      bytes: Buffer.concat([blocks, blockPositions(payload.length, start)]),
      arrayStart: start + blocks.length,
    };
  }
}
