import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPartitions } from '../../../../../src/disk/gpt.ts';
import { nodeBlockDevice } from '../../../../../src/disk/node-block-device.ts';
import { placeCore, putBootCode } from '../../../../../src/install/boot-code.ts';
import { readBootImage } from '../../../../../src/install/grub-images.ts';
import { planDisk } from '../../../../../src/install/hijack/disk-plan.ts';
import { readPartitionTable } from '../../../../../src/install/hijack/storage/partition-table.ts';
import { buildPayload } from '../../../../../src/install/hijack/take-over/build-payload.ts';
import { espFolders, putReady } from '../../../../../src/install/hijack/take-over/esp-folders.ts';
import { espLoaderSteps } from '../../../../../src/install/hijack/take-over/esp-loader.ts';
import {
  encodeStage,
  installerEntry,
  type Stage,
  stagingFolder,
} from '../../../../../src/install/hijack/take-over/installer-entry.ts';
import type { LoaderSteps, Step } from '../../../../../src/install/hijack/take-over/steps.ts';
import { runProgram } from '../../../../../src/install/program.ts';
import { type QemuRun, runQemu } from '../../../../boot/support/qemu.ts';
import { makeSlotImage, wholeBootFolder } from '../../../../boot/support/slot-image.ts';
import { talkingKernel } from '../../../../boot/support/talking-kernel.ts';
import { smallLayout } from '../../../../support/small-layout.ts';

const mebibyte = 1 << 20;
export const diskSize = 160 * mebibyte;
/** The EFI system partition before it is there with BIOS as well, and nobody's then. */
const [espStart, espSize] = [mebibyte, 8 * mebibyte];
const oldStart = espStart + espSize;
/** The old file system as it is once it was shrunk; its partition reaches to the end of the disk. */
const oldSize = 24 * mebibyte;
const oldUuid = '5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11';
const installerArguments = 'pine.hijack console=ttyS0';

/** `uefi`: with a GPT. */
export type Kind = 'mbr' | 'gpt' | 'uefi';

/**
 * A disk with an old system as far as GRUB sees one: an MBR, or a GPT as cloud images have it, an ext4 over all
 * of it that was shrunk already, a GRUB of its own, the installer staged. Its kernels only say their command line.
 */
export class TinyTakeOver {
  readonly folder: string;
  readonly template: string;
  readonly kind: Kind;
  readonly steps: readonly Step[];

  private constructor(folder: string, template: string, kind: Kind, steps: readonly Step[]) {
    this.folder = folder;
    this.template = template;
    this.kind = kind;
    this.steps = steps;
  }

  static async make(kind: Kind): Promise<TinyTakeOver> {
    const folder = await mkdtemp(join(tmpdir(), 'pine-take-over-'));
    const template = join(folder, 'template.img');
    await makeOldDisk(folder, template, kind);
    const payload = join(folder, 'payload');
    await mkdir(payload);
    const slot = await makeSlotImage(wholeBootFolder('a'));
    await writeFile(join(payload, 'slot'), slot);
    const device = await nodeBlockDevice(template).open('read');
    const table = await readPartitionTable(device, 'template');
    const layout = smallLayout({ swap: '1MiB', data: '64MiB' });
    const least = oldSize - 64 * mebibyte;
    const esp = kind === 'uefi' ? 15 : undefined;
    const outcome = planDisk({ diskSize, table, root: 1, least, payload: 0, layout, esp });
    if (outcome.kind !== 'fits') throw new Error(outcome.kind);
    const firstSector = await device.read(0, 512);
    const oldTable = kind === 'mbr' ? undefined : await readPartitions(device, 'template');
    await device.close();
    const sha256 = createHash('sha256').update(slot).digest('hex');
    const { steps } = await buildPayload({
      ...{ folder: payload, image: 'slot', disk: outcome.plan, diskSize, firstSector },
      oldTable,
      putOnEsp: kind === 'uefi' ? (core) => putOnEsp(folder, template, core) : undefined,
      accepted: {
        ...{ checksum: '1'.repeat(64), timestamp: 0, subject: '', version: undefined },
        ...{ image: { size: slot.length, sha256 }, plan: { size: 0, sha256: '' } },
        ...{ bootCompatibility: 1, signedBy: '', commit: Buffer.from('commit') },
        detachedMetadata: Buffer.alloc(0),
      },
      ...{ shrinks: false, tries: 2, carried: Buffer.alloc(1024), time: 1_700_000_000 },
      deployment: {
        ...{ id: 'd1', slot: 'a', commit: '1'.repeat(64), kernelArguments: 'console=ttyS0' },
      },
      previous: {
        ...{ partition: 1, table: kind === 'mbr' ? 'mbr' : 'gpt', installer: stagingFolder },
        installerArguments,
      },
    });
    return new TinyTakeOver(folder, template, kind, steps);
  }

  /** Runs `use` on a copy of the disk. */
  async withDisk<T>(use: (disk: TinyDisk) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.folder, 'run-'));
    try {
      const path = join(folder, 'disk.img');
      await copyFile(this.template, path);
      const firmware = this.kind === 'uefi' ? 'uefi' : 'bios';
      return await use(new TinyDisk(path, join(this.folder, 'payload'), firmware));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The disk of one run. */
export class TinyDisk {
  readonly path: string;
  readonly #payload: string;
  readonly #firmware: 'bios' | 'uefi';

  constructor(path: string, payload: string, firmware: 'bios' | 'uefi') {
    this.path = path;
    this.#payload = payload;
    this.#firmware = firmware;
  }

  /** Does a step as the installer does; of a write only the first `sectors` where that is given. */
  async apply(step: Step, sectors = Number.POSITIVE_INFINITY): Promise<void> {
    if (step.kind === 'patch' && sectors > 0) return patchDisk(this.path, step);
    if (step.kind !== 'write') return;
    const bytes = await readFile(join(this.#payload, step.file));
    const file = await open(this.path, 'r+');
    try {
      await file.write(bytes.subarray(0, sectors * 512), 0, undefined, step.start);
    } finally {
      await file.close();
    }
  }

  /** Replaces the block that the old GRUB counts in. */
  async putStage(stage: Stage): Promise<void> {
    const file = await open(this.path, 'r+');
    try {
      const bytes = await readFile(this.path);
      const at = bytes.indexOf('# GRUB Environment Block\npine_stage=');
      await file.write(encodeStage(stage), 0, 512, at);
    } finally {
      await file.close();
    }
  }

  /** Switches the machine on and says what was started: `old`, `installer STAGE`, `pine SLOT CHOICE`. */
  async boot(run: Partial<QemuRun> = {}): Promise<string> {
    const { console, end } = await runQemu({
      ...{ firmware: this.#firmware, timeoutSeconds: 200 },
      ...{ ...run, disk: this.path },
    });
    if (end !== 'exit') return `nothing: ${console.slice(-300)}`;
    if (/^@ old/m.test(console)) return 'old';
    const stage = /pine\.hijack .*pine\.stage=(\w+)/.exec(console)?.[1];
    if (stage !== undefined) return `installer ${stage}`;
    const told = /^@ choice=(\w+)\n@ slot=(\w)/m.exec(console);
    return told === null ? `nothing: ${console.slice(-300)}` : `pine ${told[2]} ${told[1]}`;
  }
}

async function makeOldDisk(folder: string, disk: string, kind: Kind): Promise<void> {
  const tree = join(folder, 'old');
  const staging = join(tree, stagingFolder);
  await mkdir(join(tree, 'boot/grub'), { recursive: true });
  await mkdir(staging, { recursive: true });
  const kernel = talkingKernel();
  const initramfs = Buffer.alloc(4096, 'i');
  await writeFile(join(staging, 'vmlinuz'), kernel);
  await writeFile(join(staging, 'initramfs'), initramfs);
  const line = (bytes: Buffer, name: string) =>
    `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`;
  const sums = line(kernel, 'vmlinuz') + line(initramfs, 'initramfs');
  await writeFile(join(staging, 'boot.sha256'), sums);
  await writeFile(join(staging, 'env'), encodeStage({ stage: 'staged', starts: 1 }));
  await writeFile(join(tree, 'boot/grub/custom.cfg'), installerEntry(oldUuid, installerArguments));
  await writeFile(
    join(tree, 'boot/grub/grub.cfg'),
    // As Debian's: the root by a name that is another behind a GPT, and then by its UUID.
    [
      `set root='hd0,msdos1'\nsearch --no-floppy --fs-uuid --set=root ${oldUuid}`,
      'if [ -f $prefix/custom.cfg ]; then source $prefix/custom.cfg; fi',
      'if [ -f /boot/grub/grub.cfg ]; then echo "@ old"; else echo "@ lost"; fi',
      'reboot\n',
    ].join('\n'),
  );
  const file = await open(disk, 'w');
  await file.truncate(diskSize);
  await file.close();
  await runProgram('sfdisk', ['-q', disk], {
    input:
      kind === 'mbr'
        ? `label: dos\nstart=${oldStart / 512}, type=83, bootable\n`
        : `label: gpt\nfirst-lba: 34\n1: start=${oldStart / 512}\n${
            kind === 'gpt'
              ? '14: start=34, size=2014, type=21686148-6449-6E6F-744E-656564454649\n'
              : `15: start=${espStart / 512}, size=${espSize / 512}, type=U\n`
          }`,
  });
  // As mkfs.ext4 makes them by itself, with a journal.
  await runProgram('mkfs.ext4', [
    ...['-q', '-F', '-U', oldUuid, '-b', '4096', '-d', tree],
    ...['-E', `offset=${oldStart}`, disk, `${oldSize / 1024}k`],
  ]);
  const core = join(folder, 'old-core.img');
  const platform = kind === 'uefi' ? ['x86_64-efi', 'efi_gop'] : ['i386-pc', 'biosdisk'];
  await runProgram('grub-mkimage', [
    ...['-O', ...platform.slice(0, 1), '-o', core],
    ...['-p', `(hd0,${kind === 'mbr' ? 'msdos' : 'gpt'}1)/boot/grub`],
    ...[...platform.slice(1), 'part_msdos', 'part_gpt'],
    ...['ext2', 'normal', 'configfile', 'linux', 'loadenv', 'test', 'echo', 'reboot', 'serial'],
    ...['terminal', 'search', 'search_fs_uuid', 'hashsum', 'gcry_sha256', 'boot', 'bsd'],
    ...['-c', await earlyScript(folder, kind)],
  ]);
  if (kind === 'uefi') return makeOldEsp(folder, disk, core);
  const device = await nodeBlockDevice(disk).open('write');
  try {
    const at = kind === 'mbr' ? 512 : 34 * 512;
    await device.write(at, placeCore(await readFile(core), at));
    await device.write(0, putBootCode(await device.read(0, 512), await readBootImage(), at));
  } finally {
    await device.close();
  }
}

async function earlyScript(folder: string, kind: Kind): Promise<string> {
  const path = join(folder, 'old-early.cfg');
  const serial = 'serial --unit=0 --speed=115200\nterminal_output serial\n';
  await writeFile(path, `${kind === 'uefi' ? '' : serial}configfile $prefix/grub.cfg\n`);
  return path;
}

/** As Debian's grub-install makes it, with --force-extra-removable. */
async function makeOldEsp(folder: string, disk: string, core: string): Promise<void> {
  const tree = join(folder, 'esp/EFI');
  await mkdir(join(tree, 'debian'), { recursive: true });
  await mkdir(join(tree, 'BOOT'));
  await copyFile(core, join(tree, 'debian/grubx64.efi'));
  await copyFile(core, join(tree, 'BOOT/BOOTX64.EFI'));
  await runProgram('mkfs.vfat', [
    ...['-F', '16', '-s', '1', '--offset', String(espStart / 512), disk],
    String(espSize / 1024),
  ]);
  await runProgram('mcopy', ['-s', '-i', `${disk}@@${espStart}`, tree, '::/']);
}

/** As pinectl does it while the old system runs. */
async function putOnEsp(folder: string, disk: string, core: Buffer): Promise<LoaderSteps> {
  const folders = espFolders([
    { name: 'debian', programs: ['grubx64.efi'] },
    { name: 'BOOT', programs: ['BOOTX64.EFI'] },
  ]);
  const tree = join(folder, 'ready');
  await mkdir(join(tree, 'EFI'), { recursive: true });
  await putReady(tree, folders, core);
  const sources = folders.map(({ ready }) => join(tree, 'EFI', ready));
  await runProgram('mcopy', ['-s', '-i', `${disk}@@${espStart}`, ...sources, '::/EFI/']);
  const device = await nodeBlockDevice(disk).open('read');
  try {
    return await espLoaderSteps(device, espStart, folders, core, 'the disk');
  } finally {
    await device.close();
  }
}

async function patchDisk(path: string, step: Extract<Step, { kind: 'patch' }>): Promise<void> {
  const device = await nodeBlockDevice(path).open('write');
  try {
    const bytes = await device.read(step.sector * 512, 512);
    for (const { offset, before, after } of step.changes) {
      if (!bytes.subarray(offset, offset + before.length).equals(before)) throw new Error('other');
      after.copy(bytes, offset);
    }
    await device.write(step.sector * 512, bytes);
  } finally {
    await device.close();
  }
}
