import { composeImage, readComposed } from '../../delta/chain/composed-image.ts';
import { madeBytes } from '../../delta/chain/made-bytes.ts';
import type { DeltaFile } from '../../delta/decode/delta-file.ts';
import { type Scratch, scratchFile } from '../../delta/recompress/scratch.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import { noRoomFor } from './space.ts';

/** Where deltas put what they decompress of the image that they are from, one delta at a time. */
export function deltaScratch(machine: Machine): Scratch {
  return scratchFile(machine.files, `${deltaFolder(machine)}/scratch`);
}

/**
 * The image that all deltas but the last make one after the other of the running one, for whoever has the running slot open: what they
 * make is kept on the data partition, where `kept` bytes stay free. Throws SPACE_DATA before anything is made (S10).
 */
export async function composeBetween(
  machine: Machine,
  deltas: readonly DeltaFile[],
  kept: number,
): Promise<(slot: PositionedReader) => PositionedReader> {
  const { files, data, slots, running } = machine;
  const between = deltas.slice(0, -1);
  let needed = Math.max(...deltas.map(({ header }) => header.scratch));
  for (const delta of between) needed += await madeBytes(delta);
  if (needed === 0) return (slot) => slot;
  const free = await files.freeBytes(data);
  if (free < needed + kept) {
    throw noRoomFor('what deltas keep there meanwhile', needed + kept, free, data); // S10
  }
  // Deltas that are read where they are have put nothing there.
  await files.makeFolder(deltaFolder(machine), 0o755);
  const slot = await slots[running.slot].open('read');
  let open = (base: PositionedReader): PositionedReader => base;
  try {
    for (const [index, delta] of between.entries()) {
      // S9: there may be several, so that none is kept in memory.
      const made = scratchFile(files, `${deltaFolder(machine)}/made-${index}`, 0);
      const map = await composeImage(delta, open(slot), made.add, deltaScratch(machine));
      await made.finish();
      const before = open;
      open = (base) => readComposed(map, before(base), made);
    }
  } finally {
    await slot.close();
  }
  return open;
}
