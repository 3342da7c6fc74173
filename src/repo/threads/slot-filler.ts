import type { Slot, Threads } from './threads.ts';
import { blockSize } from './work.ts';

/** Where a content may put its next piece, so that nobody has to copy it. */
export type Room = () => Promise<Buffer>;

/** Something to read; a piece is good until the next one is asked for. */
export type Readable = (room: Room) => AsyncIterable<Uint8Array>;

/** Told where in the slot bytes were put. */
type Placed = (offset: number, length: number) => void;

/** Puts bytes into one slot after the other. */
export class SlotFiller {
  readonly #threads: Threads;
  readonly #send: (slot: Slot, filled: number) => void;
  readonly #start: (slot: Slot) => number;
  #slot: Slot | undefined;
  #filled = 0;
  #end = 0;

  /** `send` takes each slot over when it is full and more is to come; `start` says where in a new one the bytes begin. */
  constructor(
    threads: Threads,
    send: (slot: Slot, filled: number) => void,
    start: (slot: Slot) => number = () => 0,
  ) {
    this.#threads = threads;
    this.#send = send;
    this.#start = start;
  }

  /** How much of the slot is taken. */
  get filled(): number {
    return this.#filled;
  }

  /** What is left of the slot, or a new one when it is full. */
  readonly room: Room = async () => {
    if (this.#filled === this.#end) this.flush();
    if (this.#slot === undefined) {
      const slot = await this.#threads.slot();
      this.#slot = slot;
      this.#filled = this.#start(slot);
      this.#end = this.#filled + blockSize;
    }
    return this.#slot.bytes.subarray(this.#filled, this.#end);
  };

  /** Takes a new slot when this one has not so much left: what follows lies in one piece. */
  async reserve(length: number): Promise<void> {
    if ((await this.room()).length < length) this.flush();
    await this.room();
  }

  /** Reads a content to its end. */
  async read(content: Readable, placed: Placed): Promise<void> {
    for await (const piece of content(this.room)) await this.put(piece, placed);
  }

  async put(piece: Uint8Array, placed: Placed): Promise<void> {
    for (let at = 0; at < piece.length; ) {
      const room = await this.room();
      const part = piece.subarray(at, at + room.length);
      const isThere = part.buffer === room.buffer && part.byteOffset === room.byteOffset;
      if (!isThere) room.set(part);
      placed(this.#filled, part.length);
      this.#filled += part.length;
      at += part.length;
    }
  }

  /** Hands over what there is. */
  flush(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#slot = undefined;
    this.#send(slot, this.#filled);
  }

  /** Gives a slot back that nobody is to have. */
  abandon(): void {
    if (this.#slot !== undefined) this.#threads.giveBack(this.#slot);
    this.#slot = undefined;
  }
}
