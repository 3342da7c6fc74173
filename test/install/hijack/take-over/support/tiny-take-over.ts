import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPartitions } from '../../../../../src/disk/gpt.ts';
import { parseLayout } from '../../../../../src/disk/layout.ts';
import { nodeBlockDevice } from '../../../../../src/disk/node-block-device.ts';
import { placeCore, putBootCode } from '../../../../../src/install/boot-code.ts';
import { readBootImage } from '../../../../../src/install/grub-images.ts';
import { planDisk } from '../../../../../src/install/hijack/disk-plan.ts';
import { readPartitionTable } from '../../../../../src/install/hijack/storage/partition-table.ts';
import { buildPayload } from '../../../../../src/install/hijack/take-over/build-payload.ts';
import {
  encodeStage,
  installerEntry,
  type Stage,
  stagingFolder,
} from '../../../../../src/install/hijack/take-over/installer-entry.ts';
import type { Step } from '../../../../../src/install/hijack/take-over/steps.ts';
import { runProgram } from '../../../../../src/install/program.ts';
import { type QemuRun, runQemu } from '../../../../boot/support/qemu.ts';
import { makeSlotImage, wholeBootFolder } from '../../../../boot/support/slot-image.ts';
import { talkingKernel } from '../../../../boot/support/talking-kernel.ts';

const mebibyte = 1 << 20;
export const diskSize = 160 * mebibyte;
const oldStart = mebibyte;
/** The old file system as it is once it was shrunk; its partition reaches to the end of the disk. */
const oldSize = 24 * mebibyte;
const oldUuid = '5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11';
const installerArguments = 'pine.hijack console=ttyS0';

const layoutText = `label: gpt
name="bios-grub", size=1MiB, type=21686148-6449-6E6F-744E-656564454649
name="esp", size=4MiB, type=U
name="boot", size=4MiB
name="root-a", size=4MiB
name="root-b", size=4MiB
name="swap", size=1MiB, type=S
name="data", size=64MiB
`;

export type Kind = 'mbr' | 'gpt';

/**
 * A disk with an old system as far as GRUB sees one: an MBR, or a GPT as cloud images have it, an ext4 over all
 * of it that was shrunk already, a GRUB of its own, the installer staged. Its kernels only say their command line.
 */
export class TinyTakeOver {
  readonly folder: string;
  readonly template: string;
  readonly steps: readonly Step[];

  private constructor(folder: string, template: string, steps: readonly Step[]) {
    this.folder = folder;
    this.template = template;
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
    const layout = parseLayout(layoutText, 'tiny.cfg');
    const least = oldSize - 64 * mebibyte;
    const outcome = planDisk({ diskSize, table, root: 1, least, payload: 0, layout });
    if (outcome.kind !== 'fits') throw new Error(outcome.kind);
    const firstSector = await device.read(0, 512);
    const oldTable = kind === 'mbr' ? undefined : await readPartitions(device, 'template');
    await device.close();
    const sha256 = createHash('sha256').update(slot).digest('hex');
    const steps = await buildPayload({
      ...{ folder: payload, image: 'slot', disk: outcome.plan, diskSize, firstSector },
      oldTable,
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
      previous: { partition: 1, table: kind, installer: stagingFolder, installerArguments },
    });
    return new TinyTakeOver(folder, template, steps);
  }

  /** Runs `use` on a copy of the disk. */
  async withDisk<T>(use: (disk: TinyDisk) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.folder, 'run-'));
    try {
      const path = join(folder, 'disk.img');
      await copyFile(this.template, path);
      return await use(new TinyDisk(path, join(this.folder, 'payload')));
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

  constructor(path: string, payload: string) {
    this.path = path;
    this.#payload = payload;
  }

  /** Does a step as the installer does; of a write only the first `sectors` where that is given. */
  async apply(step: Step, sectors = Number.POSITIVE_INFINITY): Promise<void> {
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
    const { console, end } = await runQemu({ ...run, disk: this.path });
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
        : `label: gpt\nfirst-lba: 34\n1: start=${oldStart / 512}\n14: start=34, size=2014, type=21686148-6449-6E6F-744E-656564454649\n`,
  });
  // As mkfs.ext4 makes them by itself, with a journal.
  await runProgram('mkfs.ext4', [
    ...['-q', '-F', '-U', oldUuid, '-b', '4096', '-d', tree],
    ...['-E', `offset=${oldStart}`, disk, `${oldSize / 1024}k`],
  ]);
  const core = join(folder, 'old-core.img');
  await runProgram('grub-mkimage', [
    ...['-O', 'i386-pc', '-o', core, '-p', `(hd0,${kind === 'mbr' ? 'msdos' : 'gpt'}1)/boot/grub`],
    ...['biosdisk', 'part_msdos', 'part_gpt'],
    ...['ext2', 'normal', 'configfile', 'linux', 'loadenv', 'test', 'echo', 'reboot', 'serial'],
    ...['terminal', 'search', 'search_fs_uuid', 'hashsum', 'gcry_sha256', 'boot', 'bsd'],
    ...['-c', await earlyScript(folder)],
  ]);
  const device = await nodeBlockDevice(disk).open('write');
  try {
    const at = kind === 'mbr' ? 512 : 34 * 512;
    await device.write(at, placeCore(await readFile(core), at));
    await device.write(0, putBootCode(await device.read(0, 512), await readBootImage(), at));
  } finally {
    await device.close();
  }
}

async function earlyScript(folder: string): Promise<string> {
  const path = join(folder, 'old-early.cfg');
  await writeFile(
    path,
    'serial --unit=0 --speed=115200\nterminal_output serial\nconfigfile $prefix/grub.cfg\n',
  );
  return path;
}
