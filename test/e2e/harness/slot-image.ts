import { execFileSync } from 'node:child_process';
import { type Place, partition, readBytes } from './disk-bytes.ts';

/** A squashfs image in a slot of a disk image, taken apart with `unsquashfs` and by its superblock. */
export class SlotImage {
  readonly #disk: string;
  readonly #slot: Place;
  readonly #bytes: Buffer;

  constructor(disk: string, slot: 'a' | 'b') {
    this.#disk = disk;
    this.#slot = partition(disk, `root-${slot}`);
    this.#bytes = readBytes(disk, this.#slot);
    if (this.#bytes.toString('latin1', 0, 4) !== 'hsqs')
      throw new Error(`no image in slot ${slot}`);
  }

  /** The image's superblock, as a place on the disk. */
  get superblock(): Place {
    return { start: this.#slot.start, size: 96 };
  }

  /** The table of inodes, as a place on the disk. */
  get inodeTable(): Place {
    const [start, end] = this.#inodeRange();
    return { start: this.#slot.start + start, size: end - start };
  }

  /** The bytes of a file, as a place on the disk: stored files lie in one piece. */
  file(path: string): Place {
    const start = this.#position(path);
    return { start: this.#slot.start + start, size: this.#content(path).length };
  }

  /** Where a file's inode has its size, a u32: set it to 0 and the file is empty. */
  sizeField(path: string): Place {
    const inode = Buffer.alloc(16);
    inode.writeUInt32LE(this.#position(path), 0); // where its data begins
    inode.writeUInt32LE(0xffffffff, 4); // no fragment
    inode.writeUInt32LE(this.#content(path).length, 12);
    const [start, end] = this.#inodeRange();
    const at = this.#bytes.subarray(start, end).indexOf(inode);
    if (at < 0) throw new Error(`the inode of ${path} is not in one piece in the table`);
    return { start: this.#slot.start + start + at + 12, size: 4 };
  }

  #inodeRange(): [number, number] {
    return [Number(this.#bytes.readBigUInt64LE(64)), Number(this.#bytes.readBigUInt64LE(72))];
  }

  #content(path: string): Buffer {
    const offset = String(this.#slot.start);
    return execFileSync('unsquashfs', ['-o', offset, '-cat', this.#disk, path], {
      maxBuffer: 256 << 20,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  #position(path: string): number {
    const at = this.#bytes.indexOf(this.#content(path));
    if (at < 0) throw new Error(`the bytes of ${path} are not in one piece in the slot`);
    return at;
  }
}
