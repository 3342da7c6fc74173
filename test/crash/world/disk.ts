import type { BlockDevice, BlockDeviceOpener } from '../../../src/ports/block-device.ts';
import type { Loss } from './loss.ts';
import type { Power } from './power.ts';

export const sectorSize = 512;

/**
 * A disk with a volatile cache: a write reaches the medium when it is flushed, and until then any of its sectors
 * may be lost. Reads see the cache, as they do on a machine, until it is dropped.
 */
export class Disk implements BlockDeviceOpener {
  readonly name: string;
  readonly medium: Buffer;
  readonly #power: Power;
  /** What reads see where it differs from the medium; shared with it until the first write. */
  #cache: Buffer;
  #pending: { readonly position: number; readonly bytes: Buffer }[] = [];
  #opened = 0;
  /** Whether anything was written to it since it was made. */
  written = false;

  constructor(name: string, medium: Buffer, power: Power) {
    this.name = name;
    this.medium = medium;
    this.#power = power;
    this.#cache = medium;
  }

  async open(mode: 'read' | 'write'): Promise<BlockDevice> {
    this.#power.alive();
    this.#opened += 1;
    return {
      size: this.medium.length,
      read: async (position, length) => {
        this.#power.alive();
        if (position < 0 || position + length > this.#cache.length) throw new RangeError('outside');
        return Buffer.from(this.#cache.subarray(position, position + length));
      },
      write: async (position, bytes) => {
        if (mode !== 'write') throw new Error(`${this.name} is open for reading only`);
        if (position + bytes.length > this.medium.length) throw new RangeError('outside');
        this.#power.write(`${this.name}: ${bytes.length} at ${position}`, () => {
          this.written = true;
          this.#pending.push({ position, bytes: Buffer.from(bytes) });
          if (this.#cache === this.medium) this.#cache = Buffer.from(this.medium);
          this.#cache.set(bytes, position);
        });
      },
      flush: () => this.flush(),
      close: async () => {
        this.#opened -= 1;
      },
    };
  }

  async flush(): Promise<void> {
    this.#power.write(`${this.name}: flush`, () => {});
    this.#settle();
  }

  async dropCache(): Promise<void> {
    this.#power.alive();
    // Linux does not drop what a descriptor still uses: S2 asks for every one to be closed.
    if (this.#opened > 0) return;
    this.#settle();
    this.#cache = this.medium;
  }

  /** The disk as the next boot finds it. */
  afterCut(loss: Loss, power: Power): Disk {
    const medium = Buffer.from(this.medium);
    for (const { position, bytes } of this.#pending) {
      const first = position - (position % sectorSize);
      for (let sector = first; sector < position + bytes.length; sector += sectorSize) {
        if (!loss.keeps()) continue; // torn at sectors
        const from = Math.max(sector, position);
        const to = Math.min(sector + sectorSize, position + bytes.length);
        bytes.copy(medium, from, from - position, to - position);
      }
    }
    return new Disk(this.name, medium, power);
  }

  #settle(): void {
    for (const { position, bytes } of this.#pending) this.toMedium(position, bytes);
    this.#pending = [];
  }

  /** How flushed bytes reach the medium; a failing disk does it differently. */
  protected toMedium(position: number, bytes: Buffer): void {
    this.medium.set(bytes, position);
  }
}
