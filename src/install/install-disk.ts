import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BootChoice, Deployment } from '../boot/choice.ts';
import { deriveUuid } from '../disk/derive-uuid.ts';
import type { Role } from '../disk/layout.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import type { PlacedPartition } from '../disk/place-layout.ts';
import { bootPartitionFiles, writeTree } from './boot-partition.ts';
import { type Identity, makeEsp, makeExt4, makeSwap, type Place } from './file-systems.ts';
import { buildGrub, embedBiosGrub } from './grub-images.ts';
import { writePartitionTable } from './partition-table.ts';

/** What to install on a disk image file. */
export interface Installation {
  /** The file, of its final size and full of zeros. */
  readonly path: string;
  readonly partitions: readonly PlacedPartition[];
  readonly diskUuid: string;
  /** What slot a holds. It goes into argument block 1, confirmed. */
  readonly deployment: Deployment;
  /** Another choice than to boot block 1, for tests. */
  readonly choice?: BootChoice;
  /** Seconds since 1970, for every time stamp on the disk. */
  readonly time: number;
}

/**
 * Writes everything but the slots: partition table, GRUB for what the layout has partitions for, boot, swap and data.
 * Needs no root, no loop device and no mount. The caller fills slot a and flushes the file.
 */
export async function installDisk(installation: Installation): Promise<void> {
  const { path, partitions, diskUuid, time } = installation;
  const folder = await mkdtemp(join(tmpdir(), 'pine-install-'));
  try {
    await writePartitionTable(path, partitions, diskUuid);
    for (const partition of partitions) {
      const { role, start, size } = partition;
      const label = `pine-${role}`;
      const identity = { label, uuid: deriveUuid(diskUuid, `${role} file system`), time };
      await fill(installation, role, { path, start, size }, identity, folder);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fills one partition. Slots are left as they are. */
async function fill(
  installation: Installation,
  role: Role,
  place: Place,
  identity: Identity,
  folder: string,
): Promise<void> {
  const number = (wanted: Role) =>
    installation.partitions.find((partition) => partition.role === wanted)?.number ?? 0;
  const grub = { boot: number('boot'), slotA: number('root-a'), slotB: number('root-b') };
  switch (role) {
    case 'bios-grub': {
      const disk = await nodeBlockDevice(place.path).open('write');
      try {
        await embedBiosGrub(disk, await buildGrub('i386-pc', grub, folder), place);
      } finally {
        await disk.close();
      }
      return;
    }
    case 'esp': {
      const label = 'PINE-ESP';
      return makeEsp(place, await buildGrub('x86_64-efi', grub, folder), { ...identity, label });
    }
    case 'boot': {
      const tree = join(folder, 'boot');
      await mkdir(tree);
      const files = bootPartitionFiles(installation.deployment, installation.choice);
      const entries = await writeTree(tree, files);
      // GRUB ignores journals, and 2.06 does not know the checksum seed.
      const options = ['-O', '^has_journal,^metadata_csum_seed', '-m', '0'];
      return makeExt4(place, tree, entries, identity, options);
    }
    case 'swap':
      return makeSwap(place, identity);
    case 'data': {
      const tree = join(folder, 'data');
      const entries = [];
      for (const path of ['etc', 'state', 'pine']) {
        await mkdir(join(tree, path), { recursive: true });
        entries.push({ path, mode: 0o40755 });
      }
      return makeExt4(place, tree, entries, identity, ['-m', '1']);
    }
    default:
      return;
  }
}
