import { copyFile, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SlotName } from '../../../src/boot/choice.ts';
import { encodeDeployment } from '../../../src/boot/grub/deployment-codec.ts';
import { locateFile } from '../../../src/boot/grub/ext4-file.ts';
import { deriveUuid } from '../../../src/disk/derive-uuid.ts';
import { nodeBlockDevice } from '../../../src/disk/node-block-device.ts';
import {
  leastDiskSize,
  type PlacedPartition,
  placeLayout,
} from '../../../src/disk/place-layout.ts';
import { installDisk } from '../../../src/install/install-disk.ts';
import { smallLayout } from '../../support/small-layout.ts';
import { type QemuResult, type QemuRun, runQemu } from './qemu.ts';
import { makeSlotImage, wholeBootFolder } from './slot-image.ts';

export const diskUuid = deriveUuid('tiny', 'disk');

/** What a machine of the tests answers: what its slot's pine.cfg was told, and what was written. */
export interface Answer extends QemuResult {
  /** `choice=order slot=a …` as key and value; empty when no slot was chosen. */
  readonly told: Readonly<Record<string, string>>;
  /** Byte positions of the sectors that the run changed. */
  readonly changed: readonly number[];
  /** The 512 bytes of grubenv after the run. */
  readonly grubenv: Buffer;
}

/** A disk with two slots whose pine.cfg only says what it was told. Each run works on a copy. */
export class TinyMachine {
  readonly folder: string;
  readonly partitions: readonly PlacedPartition[];
  /** Where the 512 bytes of grubenv lie on the disk. */
  readonly grubenvAt: number;

  private constructor(folder: string, partitions: readonly PlacedPartition[], grubenvAt: number) {
    this.folder = folder;
    this.partitions = partitions;
    this.grubenvAt = grubenvAt;
  }

  /** `finish` makes something else of the installed disk. */
  static async make(
    finish?: (path: string, partitions: readonly PlacedPartition[]) => Promise<void>,
  ): Promise<TinyMachine> {
    const folder = await mkdtemp(join(tmpdir(), 'pine-boot-'));
    const layout = smallLayout({ data: '64MiB' });
    const size = leastDiskSize(layout);
    const partitions = placeLayout(layout, size);
    const path = join(folder, 'template.img');
    const file = await open(path, 'w');
    await file.truncate(size);
    await file.close();
    const deployment = deploymentOf(1);
    await installDisk({
      ...{ path, partitions, diskUuid, deployment, time: 1_700_000_000 },
    });
    await finish?.(path, partitions);
    const probe = new TinyMachine(folder, partitions, 0);
    const machine = new TinyMachine(
      folder,
      partitions,
      await probe.positionOf(path, 'grub/grubenv'),
    );
    const disk = new TinyDisk(machine, path);
    await disk.writeSlot('a', await makeSlotImage(wholeBootFolder('a')));
    await disk.writeSlot('b', await makeSlotImage(wholeBootFolder('b')));
    for (const block of [2, 3, 4]) {
      await disk.writeBootFile(
        `grub/deployment-${block}.env`,
        encodeDeployment(deploymentOf(block)),
      );
    }
    return machine;
  }

  /** Prepares a copy of the disk, starts it, and says what came of it. */
  async boot(
    prepare: (disk: TinyDisk) => Promise<void>,
    run: Omit<QemuRun, 'disk'> = {},
  ): Promise<Answer> {
    const folder = await mkdtemp(join(this.folder, 'run-'));
    try {
      const path = join(folder, 'disk.img');
      await copyFile(join(this.folder, 'template.img'), path);
      await prepare(new TinyDisk(this, path));
      const before = await readFile(path);
      const result = await runQemu({ ...run, disk: path });
      const after = await readFile(path);
      const grubenv = after.subarray(this.grubenvAt, this.grubenvAt + 512);
      const changed = changedSectors(before, after);
      return { ...result, told: parseMarker(result.console), changed, grubenv };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  partition(role: string): PlacedPartition {
    const found = this.partitions.find((partition) => partition.role === role);
    if (found === undefined) throw new Error(`no partition ${role}`);
    return found;
  }

  /** A partition's GUID, as the kernel and GRUB write it. */
  partuuid(role: string): string {
    return deriveUuid(diskUuid, this.partition(role).role).toLowerCase();
  }

  /** Where a file of the boot partition lies on the disk, in bytes. */
  async positionOf(path: string, file: string): Promise<number> {
    const { start, size } = this.partition('boot');
    const device = await nodeBlockDevice(path, { start, size }).open('read');
    try {
      const { pieces } = await locateFile(device, 'boot', file);
      return start + (pieces[0]?.position ?? Number.NaN);
    } finally {
      await device.close();
    }
  }
}

/** The disk of one run. */
export class TinyDisk {
  readonly #machine: TinyMachine;
  readonly path: string;

  constructor(machine: TinyMachine, path: string) {
    this.#machine = machine;
    this.path = path;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    const file = await open(this.path, 'r+');
    await file.write(bytes, 0, bytes.length, position);
    await file.close();
  }

  /** Changes bytes inside a slot; `position` counts from the slot's start. */
  async writeSlot(slot: SlotName, bytes: Uint8Array, position = 0): Promise<void> {
    await this.write(this.#machine.partition(`root-${slot}`).start + position, bytes);
  }

  async writeBootFile(file: string, bytes: Uint8Array): Promise<void> {
    await this.write(await this.#machine.positionOf(this.path, file), bytes);
  }

  async writeGrubenv(bytes: Uint8Array): Promise<void> {
    await this.write(this.#machine.grubenvAt, bytes);
  }

  async readSlot(slot: SlotName): Promise<Buffer> {
    const { start, size } = this.#machine.partition(`root-${slot}`);
    return (await readFile(this.path)).subarray(start, start + size);
  }
}

/** Blocks 1 and 3 are of slot a, 2 and 4 of slot b. */
export function deploymentOf(block: number) {
  return {
    id: `d${block}`,
    slot: block % 2 === 1 ? ('a' as const) : ('b' as const),
    kernelArguments: `console=ttyS0 block${block}`,
    commit: String(block).repeat(64),
  };
}

function parseMarker(console: string): Record<string, string> {
  const lines = [...console.matchAll(/^@ (\w+)=(.*)$/gm)];
  return Object.fromEntries(lines.map(([, key = '', value = '']) => [key, value.trim()]));
}

function changedSectors(before: Buffer, after: Buffer): number[] {
  const changed: number[] = [];
  const step = 1 << 20;
  for (let at = 0; at < before.length; at += step) {
    if (before.compare(after, at, at + step, at, at + step) === 0) continue;
    for (let sector = at; sector < at + step; sector += 512) {
      if (before.compare(after, sector, sector + 512, sector, sector + 512) !== 0) {
        changed.push(sector);
      }
    }
  }
  return changed;
}
