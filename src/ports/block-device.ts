/**
 * A device or file of fixed size that is read and written by position.
 *
 * Positions and lengths are bytes. Nothing is durable before `flush` resolves.
 */
export interface BlockDevice {
  readonly size: number;
  /** Reads of which position and length are multiples of this are cheapest; absent where any are. */
  readonly unit?: number;
  /**
   * Reads exactly `length` bytes; rejects when they are not all there. They come in `into`, where it is
   * given and the device can: whoever reads much uses one buffer again and again (S9).
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Writes all of `bytes`, as one write where the operating system allows it. */
  write(position: number, bytes: Uint8Array): Promise<void>;
  /** Resolves when everything written so far is on stable storage. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** How a block device is reached, again and again: S2 needs it closed, uncached and reopened. */
export interface BlockDeviceOpener {
  /** What to call it in messages: `/dev/vda4`, or `disk.img (root-a)`. */
  readonly name: string;
  open(mode: 'read' | 'write'): Promise<BlockDevice>;
  /**
   * Drops what the operating system has cached of the device, so that the next read comes
   * from the medium. All descriptors must be closed before.
   */
  dropCache(): Promise<void>;
}
