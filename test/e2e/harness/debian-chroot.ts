import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../../../scripts/root/programs.ts';
import { makeDebianDisk, makeNode } from './debian-disk.ts';

/** What pinectl refused: the code, and what it found. */
export type Refusal = string;

/**
 * A Debian of a disk image that is not started: its root is mounted, and its own programs look at it as if it
 * ran, in a chroot. The kernel and the network are this host's.
 *
 * What it would tell of GRUB's start is on its command line, and its lsblk calls the loop device a disk.
 */
export class DebianChroot {
  readonly root: string;
  readonly loop: string;
  readonly #numbers: readonly number[];

  private constructor(root: string, loop: string, numbers: readonly number[]) {
    this.root = root;
    this.loop = loop;
    this.#numbers = numbers;
  }

  /** Mounts a new disk in a folder. It has a partition for swap behind the root. */
  static async start(folder: string, pinectl: string): Promise<DebianChroot> {
    const disk = join(folder, 'disk.img');
    const loginKey = `ssh-ed25519 ${'A'.repeat(68)} test`;
    await makeDebianDisk(disk, {
      ...{ hostName: 'debian-vps', loginKey, table: 'mbr', lastPartition: 200 << 20 },
    });
    const loop = (await run('losetup', ['-f', '--show', disk])).trim();
    const debian = new DebianChroot(join(folder, 'root'), loop, [1, 2]);
    await run('partx', ['-a', loop]);
    for (const number of [1, 2]) await makeNode(loop, number);
    mkdirSync(debian.root);
    await run('mount', [`${loop}p1`, debian.root]);
    await debian.#furnish(pinectl);
    return debian;
  }

  async #furnish(pinectl: string): Promise<void> {
    const inside = (path: string) => join(this.root, path);
    await run('mount', ['-t', 'proc', 'proc', inside('proc')]);
    for (const name of ['sys', 'dev']) await run('mount', ['--bind', `/${name}`, inside(name)]);
    await run('mount', ['-t', 'tmpfs', 'tmpfs', inside('run')]);
    mkdirSync(inside('run/sshd'));
    const kernel = readdirSync(inside('boot')).find((name) => name.startsWith('vmlinuz'));
    writeFileSync(inside('run/cmdline'), `BOOT_IMAGE=/boot/${kernel} console=ttyS0\n`);
    await run('mount', ['--bind', inside('run/cmdline'), inside('proc/cmdline')]);
    await run('cp', [pinectl, inside('usr/local/bin/pinectl')]);
    const lsblk = inside('usr/local/bin/lsblk');
    const asDisk = `s/"type": *"loop"/"type":"disk"/`;
    writeFileSync(lsblk, `#!/bin/sh\n/usr/bin/lsblk "$@" | sed '${asDisk}'\n`);
    chmodSync(lsblk, 0o755);
  }

  /** Runs a shell script in it, as root, and gives what it prints. */
  async check(script: string): Promise<string> {
    const path = 'PATH=/usr/local/bin:/usr/sbin:/usr/bin';
    const args = [this.root, 'env', '-i', path, 'HOME=/root', 'sh', '-c', script];
    return (await run('unshare', ['--mount', 'chroot', ...args])).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['-R', this.root]);
    await run('partx', ['-d', this.loop]);
    for (const number of this.#numbers) {
      const node = `/dev/${basename(this.loop)}p${number}`;
      if (existsSync(node)) rmSync(node);
    }
    await run('losetup', ['-d', this.loop]);
  }
}

/** What `hijack --check --json` printed, as codes and what was found. */
export function refusalsOf(text: string): Refusal[] {
  if (!text.startsWith('{')) throw new Error(`no JSON: ${text}`);
  const { refusals }: { refusals: { code: string; found: string }[] } = JSON.parse(text);
  return refusals.map(({ code, found }) => `${code}: ${found}`);
}
