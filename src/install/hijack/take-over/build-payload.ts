import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PreviousSystem } from '../../../boot/grub/grub-cfg.ts';
import { deriveUuid } from '../../../disk/derive-uuid.ts';
import { type EncodedGpt, encodeGpt } from '../../../disk/encode-gpt.ts';
import type { Partition } from '../../../disk/gpt.ts';
import type { Role } from '../../../disk/layout.ts';
import type { PlacedPartition } from '../../../disk/place-layout.ts';
import { encodeTrailer, trailerSize } from '../../../image/trailer.ts';
import type { AcceptedCommit } from '../../../trust/policy.ts';
import { placeCore } from '../../boot-code.ts';
import { readBootImage } from '../../grub-images.ts';
import type { DiskPlan } from '../disk-plan.ts';
import { firstSectors } from './boot-sectors.ts';
import { type TablePiece, tableOverGpt, tableOverMbr } from './new-table.ts';
import { type BootContent, buildCore, makeBootFile, makeSwapFile } from './payload-files.ts';
import { type LoaderSteps, orderSteps, type Piece, type Prepared } from './steps.ts';
import { tableEntries } from './table-entries.ts';

/** What is needed to build all that the installer writes. Sizes are bytes. */
export interface PayloadRequest extends BootContent {
  /** Where the files go; `image` is there already. */
  readonly folder: string;
  readonly image: string;
  readonly accepted: AcceptedCommit;
  readonly disk: DiskPlan;
  readonly diskSize: number;
  /** The first sector of the disk as it is. */
  readonly firstSector: Buffer;
  /** The partitions of its GPT; `undefined` where it has an MBR. */
  readonly oldTable: readonly Partition[] | undefined;
  /** Puts GRUB's core on the EFI system partition, and says how firmware comes to start it; `undefined`: BIOS. */
  readonly putOnEsp?: ((core: Buffer) => Promise<LoaderSteps>) | undefined;
  /** Whether the old file system is larger than it will be. */
  readonly shrinks: boolean;
  readonly previous: PreviousSystem;
}

const emptySize = 64 * 1024;

/** Builds every file that the installer writes, and says in which order. */
export async function buildPayload(request: PayloadRequest): Promise<Prepared> {
  const { folder, disk, previous, oldTable, putOnEsp } = request;
  const diskUuid = randomUUID().toUpperCase();
  const entries = tableEntries(disk, previous.partition, oldTable, diskUuid);
  const gpt = encodeGpt(request.diskSize, diskUuid, entries);
  const partitions = await buildPartitions(request, diskUuid);
  const platform = putOnEsp === undefined ? 'i386-pc' : 'x86_64-efi';
  const core = await buildCore(folder, disk, previous, platform);
  const { loader, table } = await buildStart(request, core, gpt);
  const data = placeOf(disk, 'data');
  const steps = orderSteps({
    shrunk: request.shrinks ? disk.shrunk.size : undefined,
    data: {
      ...{ start: data.start, size: data.size, label: 'pine-data' },
      uuid: deriveUuid(diskUuid, 'data file system'),
    },
    ...{ partitions, loader, table },
  });
  return { steps, checks: loader.checks };
}

/** What goes into pine's partitions. */
async function buildPartitions(request: PayloadRequest, diskUuid: string): Promise<Piece[]> {
  const { folder, disk, accepted } = request;
  const [slotA, slotB] = [placeOf(disk, 'root-a'), placeOf(disk, 'root-b')];
  const boot = placeOf(disk, 'boot');
  const trailerAt = (slot: PlacedPartition) => slot.start + slot.size - trailerSize;
  const trailer = encodeTrailer({
    ...{ imageSize: accepted.image.size, commit: accepted.commit },
    detachedMetadata: accepted.detachedMetadata,
  });
  const empty = await put(folder, 'empty', slotB.start, Buffer.alloc(emptySize));
  await makeBootFile(folder, boot.size, request, diskUuid);
  const swap = disk.partitions.find(({ role }) => role === 'swap');
  if (swap !== undefined) await makeSwapFile(folder, swap.size, diskUuid);
  return [
    await pieceOf(folder, request.image, slotA.start),
    await put(folder, 'trailer', trailerAt(slotA), trailer),
    // What lies in the other slot's place is the old system's: nothing must take it for an image.
    empty,
    { ...empty, start: trailerAt(slotB) },
    await pieceOf(folder, 'boot', boot.start),
    ...(swap === undefined ? [] : [await pieceOf(folder, 'swap', swap.start)]),
  ];
}

/** What has the firmware start pine's GRUB, and the new table, in the order in which they are written. */
async function buildStart(
  { folder, disk, diskSize, firstSector, oldTable, putOnEsp }: PayloadRequest,
  core: Buffer,
  gpt: EncodedGpt,
): Promise<{ readonly loader: LoaderSteps; readonly table: readonly Piece[] }> {
  const pieces: TablePiece[] = [];
  let loader: LoaderSteps;
  if (putOnEsp === undefined) {
    const { start } = placeOf(disk, 'bios-grub');
    const sectors = firstSectors(firstSector, await readBootImage(), start, gpt);
    const corePiece = await put(folder, 'core', start, placeCore(core, start));
    const commitment = await put(folder, 'committed-sector', 0, sectors.committed);
    loader = {
      before: [{ kind: 'write', ...corePiece }],
      commitment: { kind: 'write', ...commitment },
      checks: [],
    };
    if (oldTable === undefined) pieces.push(...tableOverMbr(gpt, diskSize, sectors.final));
  } else {
    loader = await putOnEsp(core);
  }
  const { number } = placeOf(disk, 'boot');
  if (oldTable !== undefined) pieces.push(...tableOverGpt(gpt, diskSize, number));
  const table: Piece[] = [];
  for (const { file, start, bytes } of pieces) table.push(await put(folder, file, start, bytes));
  return { loader, table };
}

function placeOf({ partitions }: DiskPlan, role: Role): PlacedPartition {
  const found = partitions.find((partition) => partition.role === role);
  if (found === undefined) throw new RangeError(`the layout has no ${role}`);
  return found;
}

async function put(folder: string, name: string, start: number, bytes: Uint8Array): Promise<Piece> {
  await writeFile(join(folder, name), bytes);
  return pieceOf(folder, name, start);
}

/** A file that is there, as a piece of the disk. */
async function pieceOf(folder: string, name: string, start: number): Promise<Piece> {
  const path = join(folder, name);
  return { file: name, start, size: (await stat(path)).size, sha256: await hashFile(path) };
}

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}
