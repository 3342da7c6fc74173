import { type Image, openImage } from '../../image/reader/open-image.ts';
import { walkInodes } from '../../image/reader/walk-image.ts';
import { inodeType } from '../../image/squashfs/format.ts';
import { overlayLiterals } from '../../plan/literal-overlay.ts';
import type { Plan } from '../../plan/open-plan.ts';
import { ReadAhead } from '../../plan/read-ahead.ts';
import type { Segment } from '../../plan/segment.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Progress } from '../../ports/progress.ts';
import { fileObjectHash } from '../../repo/file-header.ts';

/** A part of an image that is not what its plan says. Positions and lengths are bytes of the image. */
export interface Damage {
  readonly position: number;
  readonly length: number;
  /** The file object whose content it is; absent for the image's own tables and padding. */
  readonly object?: string;
  /** The files that have this content, at most `mostPaths` of them. */
  readonly paths: readonly string[];
  /** The device gave an error instead of bytes. */
  readonly unreadable: boolean;
}

const mostPaths = 64;

type Part = Omit<Damage, 'paths'>;

/**
 * Compares an image with its plan, part by part, and names the files that fail. The plan is trusted: it matched the
 * digest in the signed commit. What has one path each is known from the plan's own tables, not from the device's.
 */
export async function findDamage(
  device: PositionedReader,
  plan: Plan,
  progress?: Progress,
): Promise<readonly Damage[]> {
  const image = await openImage(await overlayLiterals(device, plan), plan.imageSize);
  const found: Part[] = [];
  for await (const part of damagedParts(device, plan, image, progress)) found.push(part);
  const paths = await pathsOf(image, new Set(found.map(({ position }) => position)));
  return found.map((part) => ({ ...part, paths: paths.get(part.position) ?? [] }));
}

async function* damagedParts(
  device: PositionedReader,
  plan: Plan,
  image: Image,
  progress: Progress | undefined,
): AsyncIterable<Part> {
  const hashes = objectHashes(image);
  const ahead = new ReadAhead();
  let position = 0;
  for await (const segment of plan.segments()) {
    const { length } = segment;
    const state = await stateOf(device, position, segment, hashes, ahead);
    if (state !== 'sound') {
      yield {
        position,
        length,
        ...(segment.kind === 'object' && { object: segment.checksum }),
        unreadable: state === 'unreadable',
      };
    }
    position += length;
    progress?.(position, plan.imageSize, 'looking for what is damaged');
  }
}

async function stateOf(
  device: PositionedReader,
  position: number,
  segment: Segment,
  hashes: AsyncIterator<ReturnType<typeof fileObjectHash>>,
  ahead: ReadAhead,
): Promise<'sound' | 'damaged' | 'unreadable'> {
  // Taken in any case: the next object is the next inode's.
  const hash = segment.kind === 'object' ? (await hashes.next()).value : undefined;
  // Not a byte beyond it is read: a page that it shares with another may not be readable.
  const range = {
    size: segment.length,
    read: (at: number, length: number, into?: Buffer) => device.read(position + at, length, into),
  };
  try {
    let done = 0;
    for await (const bytes of ahead.read(range, 0, segment.length)) {
      if (segment.kind === 'object') hash?.update(bytes);
      else if (segment.kind === 'zeros' && bytes.some((byte) => byte !== 0)) return 'damaged';
      else if (segment.kind === 'literal') {
        if (!bytes.equals(segment.bytes.subarray(done, done + bytes.length))) return 'damaged';
      }
      done += bytes.length;
    }
  } catch (error) {
    if (isMediumError(error)) return 'unreadable';
    throw error;
  }
  return segment.kind !== 'object' || hash?.digest('hex') === segment.checksum
    ? 'sound'
    : 'damaged';
}

/** A hash for each object, in the order of the image, that has taken in its header: owner, mode, attributes. */
async function* objectHashes(image: Image) {
  let end = 0;
  for await (const inode of image.inodes()) {
    if (inode.type !== inodeType.file || inode.size === 0) continue;
    // Content that an earlier inode has too.
    if (inode.start < end) continue;
    end = inode.start + inode.size;
    yield fileObjectHash({ ...(await image.metadata(inode)), target: '' });
  }
}

/** What reading a failing medium ends in. */
export function isMediumError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException)?.code === 'EIO';
}

async function pathsOf(
  image: Image,
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, string[]>();
  if (wanted.size === 0) return found;
  for await (const { path, inode } of walkInodes(image)) {
    if (inode.type !== inodeType.file || inode.size === 0 || !wanted.has(inode.start)) continue;
    const paths = found.get(inode.start) ?? [];
    if (paths.length < mostPaths) paths.push(path);
    found.set(inode.start, paths);
  }
  return found;
}
