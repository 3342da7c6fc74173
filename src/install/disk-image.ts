import type { Deployment } from '../boot/choice.ts';
import { deriveUuid } from '../disk/derive-uuid.ts';
import type { Layout } from '../disk/layout.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { leastDiskSize, type PlacedPartition, placeLayout } from '../disk/place-layout.ts';
import { PineError } from '../error.ts';
import { writableImageSize } from '../image/slot.ts';
import { fillSlot, type ImageSource } from './fill-slot.ts';
import { installDisk } from './install-disk.ts';
import { writeOutputFile } from './output-file.ts';

export interface DiskImageRequest extends ImageSource {
  readonly layout: Layout;
  /** Bytes; by default the least that the layout needs, rounded up to whole GB. */
  readonly size: number | undefined;
  readonly deployment: Deployment;
  /** By default the layout's, else derived from the commit and the layout. */
  readonly diskUuid: string | undefined;
}

export interface DiskImageResult {
  /** Bytes. */
  readonly size: number;
  readonly diskUuid: string;
  readonly partitions: readonly PlacedPartition[];
  /** Bytes of the largest image that a slot takes. */
  readonly room: number;
}

/** The `compatibility` of the boot loader that is installed: `GrubBootLoader`'s. */
const compatibility = 1;

/** What is written beside the image: GRUB, tables, journals. */
const besides = 48 << 20;

/**
 * Writes a disk image that boots with BIOS or UEFI, as the layout has it: slot a holds the commit, confirmed.
 *
 * The same bytes each time for the same commit, layout, size and kernel arguments. Throws
 * INPUT_NOT_BOOTABLE, SPACE_DISK, SPACE_SLOT, SPACE_OUTPUT before anything is written; PROGRAM_MISSING.
 */
export async function writeDiskImage(
  path: string,
  request: DiskImageRequest,
): Promise<DiskImageResult> {
  const { layout, commit, deployment } = request;
  checkBootable(request);
  const size = request.size ?? Math.ceil(leastDiskSize(layout) / 1e9) * 1e9;
  const partitions = placeLayout(layout, size);
  const room = writableImageSize(layout.slotSize);
  checkRoom(commit.image.size, room, layout.name);
  const placement = partitions.map(({ role, start, size }) => `${role} ${start} ${size}`);
  const diskUuid =
    request.diskUuid ??
    layout.diskUuid ??
    deriveUuid([commit.commit, ...placement].join('\n'), 'disk');
  await writeOutputFile(path, { size, needed: commit.image.size + besides }, async (temporary) => {
    const time = commit.timestamp;
    await installDisk({ path: temporary, partitions, diskUuid, deployment, time });
    const slot = partitions.find(({ role }) => role === 'root-a');
    await fillSlot(nodeBlockDevice(temporary, slot, `${path} (root-a)`), request);
  });
  return { size, diskUuid, partitions, room };
}

function checkBootable({ commit }: ImageSource): void {
  if (commit.bootCompatibility !== undefined && commit.bootCompatibility <= compatibility) return;
  throw new PineError('INPUT_NOT_BOOTABLE', 'this commit can not be booted from a disk', {
    expected: `a bootable commit for boot loader version ${compatibility}`,
    found: commit.bootCompatibility === undefined ? 'none' : `version ${commit.bootCompatibility}`,
    where: `commit ${commit.commit}`,
    remedy: 'commit the tree with --bootable, or write the bare image with --format squashfs',
  });
}

/** S10, before anything is written. */
function checkRoom(size: number, room: number, layout: string): void {
  if (size <= room) return;
  throw new PineError('SPACE_SLOT', 'the image does not fit the slots of the layout', {
    expected: `at most ${room} bytes`,
    found: `${size} bytes: ${size - room} too many`,
    where: layout,
    remedy: 'take a layout with larger slots, or commit a smaller tree',
  });
}
