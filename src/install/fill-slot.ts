import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { writableImageSize } from '../image/slot.ts';
import { encodeTrailer, trailerSize } from '../image/trailer.ts';
import { executePlan } from '../plan/execute.ts';
import { openPlan } from '../plan/plan-file.ts';
import { verifyImage } from '../plan/read-back.ts';
import type { BlockDevice, BlockDeviceOpener } from '../ports/block-device.ts';
import type { Progress } from '../ports/progress.ts';
import { encodeDetachedMetadata } from '../repo/detached-metadata.ts';
import { objectsOf } from '../repo/file-object.ts';
import type { Repository } from '../repo/repository.ts';
import type { CommitImage } from './commit-image.ts';

/** What is written, and from where. */
export interface ImageSource {
  readonly repository: Repository;
  readonly commit: CommitImage;
  readonly progress?: Progress | undefined;
}

/**
 * Writes a commit's image and its trailer into a slot, and reads the image back.
 *
 * Throws SPACE_SLOT, NOT_FOUND_PLAN, and CORRUPT_IMAGE when what lies there is not what the commit promises.
 */
export async function fillSlot(slot: BlockDeviceOpener, source: ImageSource): Promise<void> {
  const { repository, commit } = source;
  await writing(slot, async (device) => {
    await writeImage(device, writableImageSize(device.size), source);
    const trailer = encodeTrailer({
      imageSize: commit.image.size,
      commit: await repository.readMetadataObject(commit.commit, 'commit'),
      detachedMetadata: encodeDetachedMetadata(
        await repository.readDetachedMetadata(commit.commit),
      ),
    });
    await device.write(device.size - trailerSize, trailer);
  });
  await readBack(slot, source);
}

/** Writes a commit's bare image into a file of exactly its size, and reads it back. */
export async function fillFile(file: BlockDeviceOpener, source: ImageSource): Promise<void> {
  await writing(file, (device) => writeImage(device, device.size, source));
  await readBack(file, source);
}

async function writing(
  target: BlockDeviceOpener,
  work: (device: BlockDevice) => Promise<void>,
): Promise<void> {
  const device = await target.open('write');
  try {
    await work(device);
    await device.flush();
  } finally {
    await device.close();
  }
}

async function writeImage(target: BlockDevice, room: number, source: ImageSource): Promise<void> {
  const { repository, commit, progress } = source;
  const path = repository.objectFile(commit.commit, 'plan');
  const file = await nodeBlockDevice(path)
    .open('read')
    .catch((cause: unknown) => {
      throw new PineError('NOT_FOUND_PLAN', 'the repository lacks the plan of this commit', {
        expected: 'the full plan beside the commit',
        found: cause instanceof Error ? cause.message : String(cause),
        where: path,
        remedy: 'commit the tree again',
        cause,
      });
    });
  try {
    const segments = (await openPlan(file)).segments();
    const objects = objectsOf(repository);
    await executePlan({ segments, objects, size: commit.image.size, room, target, progress });
  } finally {
    await file.close();
  }
}

/** The image is what the commit promises only when it was read from where it lies (S2). */
async function readBack(target: BlockDeviceOpener, source: ImageSource): Promise<void> {
  await target.dropCache();
  const device = await target.open('read');
  try {
    await verifyImage(device, source.commit.image, source.progress);
  } finally {
    await device.close();
  }
}
