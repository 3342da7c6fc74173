import type { BlockDevice } from '../../src/ports/block-device.ts';

/** A device in memory that tells what was done to it. */
export class MemoryDevice implements BlockDevice {
  readonly bytes: Buffer;
  /** Every write: where, and how many bytes. */
  readonly writes: { position: number; length: number }[] = [];
  /** What was on stable storage at the last flush. */
  durable: Buffer;
  flushes = 0;
  /** Called before each write; may throw. */
  beforeWrite: (position: number, length: number) => void = () => undefined;

  constructor(size: number | Buffer) {
    this.bytes = typeof size === 'number' ? Buffer.alloc(size, 0xaa) : Buffer.from(size);
    this.durable = Buffer.from(this.bytes);
  }

  get size(): number {
    return this.bytes.length;
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (position + length > this.size) throw new Error('read beyond the end of the device');
    return Buffer.from(this.bytes.subarray(position, position + length));
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    this.beforeWrite(position, bytes.length);
    if (position + bytes.length > this.size) throw new Error('write beyond the end of the device');
    // As a real device would, take the bytes only a moment later.
    await new Promise((resolve) => setImmediate(resolve));
    this.bytes.set(bytes, position);
    this.writes.push({ position, length: bytes.length });
  }

  async flush(): Promise<void> {
    this.flushes++;
    this.durable = Buffer.from(this.bytes);
  }

  async close(): Promise<void> {}
}
