import type { BlockDeviceOpener } from '../../../src/ports/block-device.ts';

/** One thing that was done to a device. `position` and `length` are bytes. */
export type Step =
  | { readonly kind: 'open' | 'flush' | 'close' | 'drop-cache' }
  | { readonly kind: 'read' | 'write'; readonly position: number; readonly length: number };

/** A device in memory that notes every step, and may lie about a write. */
export class RecordedDevice implements BlockDeviceOpener {
  readonly name = 'the boot partition';
  readonly steps: Step[] = [];
  bytes: Buffer;
  /** What a medium does that loses writes, or breaks them. */
  onWrite: (position: number, bytes: Uint8Array) => Uint8Array | undefined = (_, bytes) => bytes;

  constructor(bytes: Buffer) {
    this.bytes = Buffer.from(bytes);
  }

  async open() {
    this.steps.push({ kind: 'open' });
    return {
      size: this.bytes.length,
      read: async (position: number, length: number) => {
        this.steps.push({ kind: 'read', position, length });
        if (position + length > this.bytes.length) throw new Error('a read outside the device');
        return Buffer.from(this.bytes.subarray(position, position + length));
      },
      write: async (position: number, bytes: Uint8Array) => {
        this.steps.push({ kind: 'write', position, length: bytes.length });
        const stored = this.onWrite(position, bytes);
        if (stored !== undefined) this.bytes.set(stored, position);
      },
      flush: async () => {
        this.steps.push({ kind: 'flush' });
      },
      close: async () => {
        this.steps.push({ kind: 'close' });
      },
    };
  }

  async dropCache() {
    this.steps.push({ kind: 'drop-cache' });
  }
}
