import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../../boot/choice.ts';
import { bootFiles } from '../../../boot/grub/grub.ts';
import type { PreviousSystem } from '../../../boot/grub/grub-cfg.ts';
import { encodeRescue } from '../../../boot/grub/rescue-codec.ts';
import { deriveUuid } from '../../../disk/derive-uuid.ts';
import { encodeGpt, type GptEntry } from '../../../disk/encode-gpt.ts';
import type { Partition } from '../../../disk/gpt.ts';
import type { Role } from '../../../disk/layout.ts';
import { encodeTrailer, trailerSize } from '../../../image/trailer.ts';
import type { AcceptedCommit } from '../../../trust/policy.ts';
import { placeCore } from '../../boot-code.ts';
import { bootPartitionFiles, writeTree } from '../../boot-partition.ts';
import { makeExt4, makeSwap } from '../../file-systems.ts';
import { buildGrub, readBootImage } from '../../grub-images.ts';
import type { DiskPlan } from '../disk-plan.ts';
import { firstSectors } from './boot-sectors.ts';
import { tableOverGpt, tableOverMbr } from './new-table.ts';
import { type LoaderSteps, orderSteps, type Piece, type Prepared } from './steps.ts';

/** What is needed to build all that the installer writes. Sizes are bytes. */
export interface PayloadRequest {
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
  readonly deployment: Deployment;
  /** Boots that the first trial gets. */
  readonly tries: number;
  readonly previous: PreviousSystem;
  /** What is carried over, for the rescue copy. */
  readonly carried: Buffer;
  /** Seconds since 1970, for new file systems. */
  readonly time: number;
}

/** The GPT type of a Linux file system. */
const linuxType = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';
const emptySize = 64 * 1024;

/** Builds every file that the installer writes, and says in which order. */
export async function buildPayload(request: PayloadRequest): Promise<Prepared> {
  const { folder, disk, diskSize, firstSector, oldTable, accepted, putOnEsp } = request;
  const place = (role: Role) => {
    const found = disk.partitions.find((partition) => partition.role === role);
    if (found === undefined) throw new RangeError(`the layout has no ${role}`);
    return found;
  };
  const put = async (name: string, start: number, bytes: Uint8Array): Promise<Piece> => {
    await writeFile(join(folder, name), bytes);
    return pieceOf(folder, name, start);
  };
  const diskUuid = randomUUID().toUpperCase();
  const gpt = encodeGpt(diskSize, diskUuid, tableOf(request, diskUuid));
  const [slotA, slotB] = [place('root-a'), place('root-b')];
  const trailerAt = (slot: { start: number; size: number }) => slot.start + slot.size - trailerSize;
  const trailer = encodeTrailer({
    ...{ imageSize: accepted.image.size, commit: accepted.commit },
    detachedMetadata: accepted.detachedMetadata,
  });
  const empty = await put('empty', slotB.start, Buffer.alloc(emptySize));
  const core = await buildCore(request);
  const data = place('data');
  const table = [];
  let loader: LoaderSteps;
  if (putOnEsp === undefined) {
    const { start } = place('bios-grub');
    const sectors = firstSectors(firstSector, await readBootImage(), start, gpt);
    const corePiece = await put('core', start, placeCore(core, start));
    const commitment = await put('committed-sector', 0, sectors.committed);
    loader = {
      before: [{ kind: 'write', ...corePiece }],
      commitment: { kind: 'write', ...commitment },
      checks: [],
    };
    if (oldTable === undefined) table.push(...tableOverMbr(gpt, diskSize, sectors.final));
  } else {
    loader = await putOnEsp(core);
  }
  if (oldTable !== undefined) table.push(...tableOverGpt(gpt, diskSize, place('boot').number));
  const tablePieces: Piece[] = [];
  for (const { file, start, bytes } of table) tablePieces.push(await put(file, start, bytes));
  const steps = orderSteps({
    shrunk: request.shrinks ? disk.shrunk.size : undefined,
    partitions: [
      await pieceOf(folder, request.image, slotA.start),
      await put('trailer', trailerAt(slotA), trailer),
      // What lies in the other slot's place is the old system's: nothing must take it for an image.
      empty,
      { ...empty, start: trailerAt(slotB) },
      await buildBootPartition(request, place('boot'), diskUuid),
      ...(disk.partitions.some(({ role }) => role === 'swap')
        ? [await buildSwap(folder, place('swap'), diskUuid)]
        : []),
    ],
    data: {
      ...{ start: data.start, size: data.size, label: 'pine-data' },
      uuid: deriveUuid(diskUuid, 'data file system'),
    },
    ...{ loader, table: tablePieces },
  });
  return { steps, checks: loader.checks };
}

/**
 * The new table: the old root, shrunk and under its old number, what the old system boots with, and pine's
 * partitions. Out of a GPT each that stays keeps its GUID.
 */
function tableOf({ disk, previous, oldTable }: PayloadRequest, diskUuid: string): GptEntry[] {
  const { start, size } = disk.shrunk;
  const own = new Set(disk.partitions.map(({ number }) => number));
  const removed = new Set(disk.removed.map(({ number }) => number));
  const root = oldTable?.find(({ number }) => number === previous.partition);
  const kept = (oldTable ?? []).filter(
    ({ number }) => number !== previous.partition && !removed.has(number) && !own.has(number),
  );
  return [
    {
      ...{ number: previous.partition, name: 'previous', type: root?.type ?? linuxType, start },
      size: Math.floor(size / 512) * 512,
      uuid: root?.uuid ?? deriveUuid(diskUuid, 'previous'),
    },
    // pine looks its own up by their names
    ...kept.map((one) => ({
      ...one,
      name: one.number === disk.esp ? 'esp' : `previous-${one.number}`,
    })),
    ...disk.partitions.map((one) => ({
      ...{ number: one.number, name: one.role, type: one.type, start: one.start, size: one.size },
      uuid: deriveUuid(diskUuid, one.role),
    })),
  ];
}

async function buildCore(request: PayloadRequest): Promise<Buffer> {
  const { folder, disk, previous, putOnEsp } = request;
  const platform = putOnEsp === undefined ? 'i386-pc' : 'x86_64-efi';
  const number = (role: Role) => disk.partitions.find((one) => one.role === role)?.number ?? 0;
  const numbers = { boot: number('boot'), slotA: number('root-a'), slotB: number('root-b') };
  const work = join(folder, 'grub');
  await mkdir(work);
  try {
    return await readFile(await buildGrub(platform, { ...numbers, previous }, work));
  } finally {
    await rm(work, { recursive: true });
  }
}

async function buildBootPartition(
  request: PayloadRequest,
  place: { readonly start: number; readonly size: number },
  diskUuid: string,
): Promise<Piece> {
  const { folder, deployment, tries, carried, time } = request;
  const files = new Map(bootPartitionFiles(deployment, { order: [1], trial: { block: 1, tries } }));
  const [rescue] = bootFiles.rescue;
  const room = files.get(rescue) ?? Buffer.alloc(0);
  const copy = encodeRescue({ sequence: 1, tar: carried });
  files.set(rescue, Buffer.concat([copy, room.subarray(copy.length)]));
  const work = join(folder, 'boot-files');
  await mkdir(work);
  try {
    const entries = await writeTree(work, files);
    const path = join(folder, 'boot');
    await emptyFile(path, place.size);
    const uuid = deriveUuid(diskUuid, 'boot file system');
    const options = ['-O', '^has_journal,^metadata_csum_seed', '-m', '0'];
    const identity = { label: 'pine-boot', uuid, time };
    await makeExt4({ path, start: 0, size: place.size }, work, entries, identity, options);
  } finally {
    await rm(work, { recursive: true });
  }
  return pieceOf(folder, 'boot', place.start);
}

async function buildSwap(
  folder: string,
  place: { readonly start: number; readonly size: number },
  diskUuid: string,
): Promise<Piece> {
  const path = join(folder, 'swap');
  await emptyFile(path, 4096); // its header is all that a swap area has
  const uuid = deriveUuid(diskUuid, 'swap file system');
  const identity = { label: 'pine-swap', uuid, time: 0 };
  await makeSwap({ path, start: 0, size: place.size }, identity);
  return pieceOf(folder, 'swap', place.start);
}

async function emptyFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.truncate(size);
  } finally {
    await file.close();
  }
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
