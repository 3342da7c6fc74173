import { composeImage, readComposed } from '../../delta/chain/composed-image.ts';
import { madeBytes } from '../../delta/chain/made-bytes.ts';
import type { DeltaFile } from '../../delta/decode/delta-file.ts';
import { corruptDelta } from '../../delta/format/corrupt-delta.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import { noRoomFor } from './space.ts';

/** Bytes that are collected before they are appended to the file (S9). */
const pieceSize = 256 * 1024;

/**
 * The image that deltas make one after the other of the running one, for whoever has the running slot open: what they make is
 * kept on the data partition, where `kept` bytes stay free. Throws SPACE_DATA before anything is made (S10).
 */
export async function composeBetween(
  machine: Machine,
  deltas: readonly DeltaFile[],
  kept: number,
): Promise<(slot: PositionedReader) => PositionedReader> {
  if (deltas.length === 0) return (slot) => slot;
  const { files, data, slots, running } = machine;
  let needed = kept;
  for (const delta of deltas) needed += await madeBytes(delta);
  const free = await files.freeBytes(data);
  if (free < needed) throw noRoomFor('what lies between two deltas', needed, free, data); // S10
  const slot = await slots[running.slot].open('read');
  let open = (base: PositionedReader): PositionedReader => base;
  try {
    for (const [index, delta] of deltas.entries()) {
      const made = new MadeFile(machine, `${deltaFolder(machine)}/made-${index}`);
      const map = await composeImage(delta, open(slot), (bytes) => made.add(bytes));
      await made.finish();
      const before = open;
      open = (base) => readComposed(map, before(base), made);
    }
  } finally {
    await slot.close();
  }
  return open;
}

/** Bytes that a delta made, on the data partition. A run that is cut makes them again: they are not synced. */
class MadeFile {
  readonly #machine: Machine;
  readonly #path: string;
  #waiting: Uint8Array[] = [];
  #size = 0;

  constructor(machine: Machine, path: string) {
    this.#machine = machine;
    this.#path = path;
  }

  async add(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= pieceSize) await this.finish();
  }

  async finish(): Promise<void> {
    await this.#machine.files.appendFile(this.#path, Buffer.concat(this.#waiting), 0o644);
    this.#waiting = [];
    this.#size = 0;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const bytes = await this.#machine.files.readAt(this.#path, position, length);
    if (bytes.length === length) return bytes;
    throw corruptDelta(`${length} bytes at ${position}`, `${bytes.length}`, this.#path);
  }
}
