import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BootChoice } from '../../../../src/boot/choice.ts';
import type { Machine, ProgramResult } from '../../../../src/deploy/machine.ts';
import type { FileSystem } from '../../../../src/ports/file-system.ts';
import { Disk } from '../../../crash/world/disk.ts';
import { keepAll, type Loss } from '../../../crash/world/loss.ts';
import { overriding } from '../../../crash/world/overriding.ts';
import { makeReleases } from '../../../crash/world/releases.ts';
import {
  afterCut,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from '../../../crash/world/world.ts';

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const label = Buffer.from('pine-spare');
/** What stands for all that a new file system has beside its superblock. */
const tables = Buffer.from('inode tables');
const tablesAt = 65_536;
export const devicePath = '/dev/vda1';

/** A line that only the old system has. */
export const secret = 'the old root password';

let resting: Promise<World> | undefined;

/** A machine at rest, made once. */
async function makeResting(): Promise<World> {
  const { v1, v2 } = await makeReleases();
  return makeWorld({ a: v1, b: v2, order: [1] });
}

/** Files of an old system as GRUB needs them, and what else is to be there; `undefined` leaves one out. */
export function makeOldFileSystem(
  changes: Readonly<Record<string, string | Buffer | undefined>> = {},
  size = '12M',
): Buffer {
  const kernel = Buffer.alloc(5 << 20, 'k'); // larger than any file that pine itself makes
  kernel.write('HdrS', 0x202);
  const files = {
    'boot/grub/grub.cfg':
      "menuentry 'Debian' {\n\tsearch --fs-uuid x\n\tlinux\t/boot/vmlinuz-6.1 root=UUID=x ro\n\tinitrd\t/boot/initrd.img-6.1\n}\n",
    'boot/vmlinuz-6.1': kernel,
    'boot/initrd.img-6.1': 'initramfs',
    'etc/shadow': secret,
    ...changes,
  };
  const folder = mkdtempSync(join(tmpdir(), 'pine-old-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, 'tree', path, '..'), { recursive: true });
      if (content !== undefined) writeFileSync(join(folder, 'tree', path), content);
    }
    const image = join(folder, 'image');
    const options = ['-q', '-b', '4096', '-d', join(folder, 'tree')];
    execFileSync('mkfs.ext4', [...options, image, size], { env, stdio: 'pipe' });
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A machine that was taken over: pine's own parts, and the partition of the old system. */
export class TakenOver {
  readonly world: World;
  readonly disk: Disk;
  /** Lines of /proc/mounts. A reboot empties it. */
  mounts: string[] = [];
  readonly calls: string[] = [];
  readonly answers: Record<string, ProgramResult> = {};

  constructor(world: World, disk: Disk) {
    this.world = world;
    this.disk = disk;
  }

  static async make(oldFileSystem: Buffer, choice: BootChoice): Promise<TakenOver> {
    resting ??= makeResting();
    const world = afterCut(await resting, keepAll);
    await world.boot.writeChoice(choice);
    const rested = afterCut(world, keepAll);
    return new TakenOver(rested, new Disk('previous', Buffer.from(oldFileSystem), rested.power));
  }

  /** What the next boot finds. */
  afterCut(loss: Loss): TakenOver {
    const world = afterCut(this.world, loss);
    return new TakenOver(world, this.disk.afterCut(loss, world.power));
  }

  machine(settings: MachineSettings = {}): Machine {
    const { files, ...machine } = machineOf(this.world, settings);
    const readFile: FileSystem['readFile'] = async (path, limit) =>
      path === '/proc/mounts'
        ? Buffer.from(this.mounts.map((line) => `${line}\n`).join(''))
        : files.readFile(path, limit);
    const { disk } = this;
    return {
      ...machine,
      files: overriding(files, { readFile }),
      previous: {
        ...{ name: devicePath, path: devicePath },
        open: (mode) => disk.open(mode),
        dropCache: () => disk.dropCache(),
      },
      effects: {
        ...machine.effects,
        runProgram: (path, _, { parameters = [] } = {}) => this.#run(path, parameters),
      },
    };
  }

  async #run(program: string, parameters: readonly string[]): Promise<ProgramResult> {
    this.calls.push([program, ...parameters].join(' '));
    const answer = this.answers[program] ?? { passed: true, detail: 'exit 0' };
    if (!answer.passed) return answer;
    const place = parameters.at(-1) ?? '';
    if (program === 'umount') this.mounts = this.mounts.filter((line) => !line.includes(place));
    if (program === 'mount') {
      this.mounts.push(`${devicePath} ${place} ext4 ${parameters.at(-3)} 0 0`);
      if (place === '/data/spare') await this.#writeSuperblock(true);
    }
    if (program === 'mke2fs') await this.#makeFileSystem();
    return answer;
  }

  /** The superblock may be there before the rest is. */
  async #makeFileSystem(): Promise<void> {
    await this.#writeSuperblock(false);
    const device = await this.disk.open('write');
    await device.write(tablesAt, tables);
    await device.flush();
    await device.close();
  }

  /** As mke2fs leaves it, or as a mount for writing does. */
  async #writeSuperblock(wasMounted: boolean): Promise<void> {
    const block = Buffer.alloc(1024);
    block.writeUInt16LE(0xef53, 56);
    block.writeUInt32LE(wasMounted ? 1 : 0, 0x2c);
    label.copy(block, 0x78);
    const device = await this.disk.open('write');
    await device.write(1024, block);
    await device.flush();
    await device.close();
  }

  /** What the medium of the old partition has, mark and label of its file system first. */
  describe(): string {
    const { medium } = this.disk;
    const mark = medium.readUInt16LE(1024 + 56) === 0xef53 ? 'ext4' : 'blank';
    const isCut = !medium.subarray(tablesAt).subarray(0, tables.length).equals(tables);
    const name = medium.toString('latin1', 1024 + 0x78, 1024 + 0x88).replace(/\0.*$/s, '');
    const rest = medium.includes(secret) ? 'old bytes' : 'no old bytes';
    return [mark, name, rest, ...(name !== '' && isCut ? ['cut'] : [])].join(' ');
  }
}
