import { createHash } from 'node:crypto';
import type { BlockDevice } from '../ports/block-device.ts';
import { pageAlignedBuffer } from '../ports/page-aligned.ts';

/** Bytes of one write. There are two such buffers: one is filled while the other is written. */
export const writeSize = 1 << 20;

/**
 * Writes a stream of small pieces as large writes, one behind the other from byte 0, and hashes it.
 *
 * Writes end at multiples of `writeSize`, whatever the pieces are.
 */
export class SequentialWriter {
  readonly #target: Pick<BlockDevice, 'write'>;
  readonly #hash = createHash('sha256');
  #filling = pageAlignedBuffer(writeSize);
  #spare = pageAlignedBuffer(writeSize);
  #filled = 0;
  #position = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(target: Pick<BlockDevice, 'write'>) {
    this.#target = target;
  }

  /** Bytes taken so far: written, being written, and waiting. */
  get position(): number {
    return this.#position + this.#filled;
  }

  /** Bytes that writes were begun for: whole buffers, until the end. */
  get written(): number {
    return this.#position;
  }

  /** Takes bytes that are on the target already, at the present position. */
  skip(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#position += bytes.length;
  }

  async append(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const room = writeSize - (this.#position % writeSize) - this.#filled;
      const part = rest.subarray(0, room);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (part.length === room) await this.#write();
    }
  }

  /** Resolves when the writes begun so far have returned. */
  async drain(): Promise<void> {
    await this.#pending;
  }

  /** Writes what waits, and resolves when all writes have returned. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#write();
    await this.#pending;
  }

  /** Resolves when no write is under way, whether it failed or not. */
  async settle(): Promise<void> {
    await this.#pending.catch(() => undefined);
  }

  /** SHA-256 of all bytes taken, in hex. Only once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  async #write(): Promise<void> {
    const bytes = this.#filling.subarray(0, this.#filled);
    const at = this.#position;
    this.#hash.update(bytes);
    await this.#pending;
    this.#pending = this.#target.write(at, bytes);
    // The error is met by whoever awaits next; until then it is not an unhandled one.
    this.#pending.catch(() => undefined);
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#position += this.#filled;
    this.#filled = 0;
  }
}
