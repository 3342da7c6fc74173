import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../../boot/choice.ts';
import { bootFiles } from '../../../boot/grub/grub.ts';
import type { PreviousSystem } from '../../../boot/grub/grub-cfg.ts';
import { encodeRescue } from '../../../boot/grub/rescue-codec.ts';
import { deriveUuid } from '../../../disk/derive-uuid.ts';
import { emptyFile } from '../../../disk/empty-file.ts';
import type { Role } from '../../../disk/layout.ts';
import { bootPartitionFiles, writeTree } from '../../boot-partition.ts';
import { makeExt4, makeSwap } from '../../file-systems.ts';
import { buildGrub } from '../../grub-images.ts';
import type { DiskPlan } from '../disk-plan.ts';

/** GRUB's core for the partitions of a plan: for BIOS or for UEFI. It is built in `folder`. */
export async function buildCore(
  folder: string,
  disk: DiskPlan,
  previous: PreviousSystem,
  platform: 'i386-pc' | 'x86_64-efi',
): Promise<Buffer> {
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

/** What a new boot partition holds. */
export interface BootContent {
  readonly deployment: Deployment;
  /** Boots that the first trial gets. */
  readonly tries: number;
  /** What is carried over, for the rescue copy. */
  readonly carried: Buffer;
  /** Seconds since 1970, for the new file system. */
  readonly time: number;
}

/** Makes the file `boot` in a folder: a boot partition of so many bytes, with its first trial chosen. */
export async function makeBootFile(
  folder: string,
  size: number,
  { deployment, tries, carried, time }: BootContent,
  diskUuid: string,
): Promise<void> {
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
    await emptyFile(path, size);
    const uuid = deriveUuid(diskUuid, 'boot file system');
    const options = ['-O', '^has_journal,^metadata_csum_seed', '-m', '0'];
    const identity = { label: 'pine-boot', uuid, time };
    await makeExt4({ path, start: 0, size }, work, entries, identity, options);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Makes the file `swap` in a folder: the header of a swap area of so many bytes, which is all that one has. */
export async function makeSwapFile(folder: string, size: number, diskUuid: string): Promise<void> {
  const path = join(folder, 'swap');
  await emptyFile(path, 4096);
  const uuid = deriveUuid(diskUuid, 'swap file system');
  await makeSwap({ path, start: 0, size }, { label: 'pine-swap', uuid, time: 0 });
}
