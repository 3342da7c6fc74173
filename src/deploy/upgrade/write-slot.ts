import { PineError } from '../../error.ts';
import type { Digest } from '../../image/digest.ts';
import { writableImageSize } from '../../image/slot.ts';
import { decodeTrailer, trailerSize } from '../../image/trailer.ts';
import { executePlan } from '../../plan/execute.ts';
import { verifyImage } from '../../plan/read-back.ts';
import type { BlockDevice } from '../../ports/block-device.ts';
import { removeWriting, writeWriting } from '../state-files.ts';
import type { Writing } from '../writing.ts';
import { isOfFiles } from './way-errors.ts';
import type { ImageWork, SlotWork, Work } from './work.ts';

/** S2: from here on the boot loader will not start the slot, whatever happens while it is written. */
export async function unlistTarget({ machine, target }: SlotWork): Promise<void> {
  await machine.bootLoader.writeChoice(target.unlisted);
}

/** Notes what is written where, before the first byte of the slot changes (S7). */
export async function noteWriting(work: SlotWork): Promise<void> {
  await writeWriting(work.machine, writingOf(work, work.resumeAt));
}

function writingOf({ target, deployment, image, relist }: SlotWork, durable: number): Writing {
  const { id, commit } = deployment;
  const { slot } = target;
  return { commit, slot, deployment: id, size: image.size, durable, ...(relist && { relist }) };
}

/** The slot no longer says what it held: a trailer must never stand over an image that it is not of. */
export async function clearTrailer({ target }: SlotWork): Promise<void> {
  await withDevice(target.opener, 'write', async (device) => {
    await device.write(device.size - trailerSize, Buffer.alloc(trailerSize));
    await device.flush();
  });
}

/**
 * Writes the image. When a file of it can't be had or is damaged, it is written anew by another way, if there is one. When it comes
 * out wrong although every object was right, then what was taken from this
 * machine (the running slot, the first half of a run that was cut) was damaged: it is written once more from
 * the remote alone. Throws CORRUPT_IMAGE when that is wrong too.
 */
export async function writeImage(work: ImageWork): Promise<void> {
  const first = await executeFirst(work);
  if (first?.sha256 === work.image.sha256) return;
  work.note(
    'the running slot, the delta or the write that was resumed is damaged: fetching the whole image',
  );
  await noteWriting({ ...work, resumeAt: 0 });
  const whole: Work['recipe'] = (base) => ({ base, segments: work.segmentsWithoutBase() });
  const second = await execute(work, whole, 0);
  if (second.sha256 === work.image.sha256) return;
  await removeWriting(work.machine);
  throw new PineError('CORRUPT_IMAGE', 'the image that was written is not the one of the commit', {
    expected: `SHA-256 ${work.image.sha256}`,
    found: `SHA-256 ${second.sha256}`,
    where: work.target.opener.name,
    remedy: 'check the plan on the build host: pinectl fsck',
  });
}

/** By the way that was chosen, or the next one; `undefined` when a delta was wrong. S2: the slot stays unlisted. */
async function executeFirst(work: ImageWork): Promise<Digest | undefined> {
  try {
    return await execute(work, work.recipe, work.resumeAt);
  } catch (error) {
    if (!isOfFiles(error) || work.recipeWithoutFiles === undefined) return unlessDelta(error);
    const recipe = await work.recipeWithoutFiles(error);
    // S7: what was durable is written over.
    await noteWriting({ ...work, resumeAt: 0 });
    return await execute(work, recipe, 0).catch(unlessDelta);
  }
}

/** A delta that is wrong in itself is no reason to end: there is another way. */
function unlessDelta(error: unknown): undefined {
  if (error instanceof PineError && error.code === 'CORRUPT_DELTA') return undefined;
  throw error;
}

async function execute(work: ImageWork, recipe: Work['recipe'], resumeAt: number): Promise<Digest> {
  const { machine, target, image, objects, checkpointBytes } = work;
  const running = await machine.slots[machine.running.slot].open('read');
  try {
    return await withDevice(target.opener, 'write', (device) =>
      executePlan({
        ...recipe(running),
        objects,
        size: image.size,
        room: writableImageSize(device.size),
        target: device,
        progress: work.progress,
        resumeAt,
        checkpoint: {
          everyBytes: checkpointBytes,
          save: (durable) => writeWriting(machine, writingOf(work, durable)),
        },
      }),
    );
  } finally {
    await running.close();
  }
}

/** The image is there: the slot says what it is. */
export async function writeTrailer({ target, trailer }: SlotWork): Promise<void> {
  await withDevice(target.opener, 'write', async (device) => {
    await device.write(device.size - trailerSize, trailer);
    await device.flush();
  });
}

/**
 * S2: reads image and trailer back from the medium, not from the page cache (every descriptor is closed by now),
 * and compares them with what was signed. A slot that fails starts over at the next run.
 */
export async function readBack({
  machine,
  target,
  image,
  trailer,
  progress,
}: SlotWork): Promise<void> {
  await target.opener.dropCache();
  try {
    await withDevice(target.opener, 'read', async (device) => {
      await verifyImage(device, image, progress);
      const found = await device.read(device.size - trailerSize, trailerSize);
      if (!found.equals(trailer)) throw wrongTrailer(found, target.opener.name);
    });
  } catch (error) {
    await removeWriting(machine);
    throw error;
  }
}

function wrongTrailer(found: Buffer, where: string): PineError {
  let what = 'another one';
  try {
    if (decodeTrailer(found) === undefined) what = 'none';
  } catch {
    what = 'a damaged one';
  }
  return new PineError('CORRUPT_TRAILER', 'the trailer of a slot was not written as it should be', {
    expected: 'the trailer of the new commit',
    found: what,
    where,
    remedy: 'write it again: pinectl upgrade; if it comes back, the medium is failing',
  });
}

async function withDevice<T>(
  opener: Work['target']['opener'],
  mode: 'read' | 'write',
  use: (device: BlockDevice) => Promise<T>,
): Promise<T> {
  const device = await opener.open(mode);
  try {
    return await use(device);
  } finally {
    await device.close();
  }
}
