import { PineError } from '../../../error.ts';
import { storySize } from '../../../take-over/story.ts';
import type { Host } from '../host.ts';
import type { HostFacts } from '../survey.ts';

/** Between the boot code and the first partition, where GRUB's core (448 KiB at most) does not reach. */
const storyAt = 512 * 1024;
const biosBoot = '21686148-6449-6e6f-744e-656564454649';
/** Where a BIOS boot partition begins at the latest whose core ends before the story. */
const latestCore = 64 * 1024;

/**
 * The byte of the disk where the story of a take-over can be kept: in no partition but that of GRUB's core, behind the
 * core, and free: zeros, or an earlier story. `undefined` when this disk has no such place.
 */
export async function findStoryPlace(
  host: Pick<Host, 'readBytes'>,
  diskPath: string,
  { storage: { table } }: Pick<HostFacts, 'storage'>,
): Promise<number | undefined> {
  if (table === undefined || table instanceof PineError) return undefined;
  const inTheWay = table.partitions.some(
    ({ start, size, type }) =>
      start < storyAt + storySize &&
      start + size > storyAt &&
      !(type.toLowerCase() === biosBoot && start <= latestCore),
  );
  if (inTheWay) return undefined;
  const bytes = await host.readBytes(diskPath, storyAt, storySize).catch(() => Buffer.alloc(0));
  const isFree = bytes.length === storySize && bytes.every((byte) => byte === 0);
  const isStory = /^pine-hijack \d+ [0-9a-f]{16}\n/.test(bytes.toString('latin1', 0, 64));
  return isFree || isStory ? storyAt : undefined;
}
