import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type DebianKernel, installDebianKernel } from '../../../scripts/root/debian-kernel.ts';
import { encodeRescue } from '../../../src/boot/grub/rescue-codec.ts';
import { buildInitramfs } from '../../../src/build/initramfs/initramfs.ts';
import { alpineFolder } from '../../support/requirements.ts';
import { treeOf } from '../support/tree-of.ts';

const mebibyte = 1 << 20;

/** A disk with the partitions of a pine machine. Offsets and sizes in MiB. */
export const partitions = {
  boot: { start: 1, size: 8 },
  'root-a': { start: 9, size: 64 },
  'root-b': { start: 73, size: 64 },
  swap: { start: 137, size: 32 },
  data: { start: 169, size: 64 },
} as const;
const uuids = {
  a: '3B1C9E5A-77D0-4C31-9F6E-0123456789AB',
  b: '9D4E2F10-1B2C-4D3E-8F90-ABCDEF012345',
};

export interface TestMachine {
  readonly disk: string;
  readonly version: string;
  /** Starts the machine and waits until it resets or powers off. Returns its console. */
  boot(options: {
    choice: string;
    arguments?: string;
    devices?: string[];
    /** Resets that it may come back from; with none the first one ends it. */
    resets?: number;
    /** After which it is killed. */
    seconds?: number;
    slot?: 'a' | 'b';
    deployment?: string;
  }): Promise<string>;
}

/**
 * Builds a slot with a small real root whose init is `probe`, a shell script, and a disk around it.
 * The kernel is Debian's; its modules are gzipped, as Alpine's are.
 */
export async function makeMachine(
  folder: string,
  kernel: DebianKernel,
  probe: string,
): Promise<TestMachine> {
  const root = join(folder, 'root');
  mkdirSync(root);
  run('tar', [
    '-xzf',
    join(alpineFolder, 'alpine-minirootfs-3.19.4-x86_64.tar.gz'),
    '-C',
    root,
    '--no-same-owner',
  ]);
  for (const apk of ['e2fsprogs-1', 'e2fsprogs-libs', 'libcom_err', 'libblkid', 'libuuid']) {
    const [file] = globSync(`apks/x86_64/${apk}*.apk`, { cwd: alpineFolder });
    spawnSync('tar', [
      '-xzf',
      join(alpineFolder, file ?? apk),
      '-C',
      root,
      '--warning=no-unknown-keyword',
    ]);
  }
  for (const name of ['data', 'usr/etc', 'boot']) mkdirSync(join(root, name), { recursive: true });
  mkdirSync(join(root, 'var/lib/service-of-pine'), { mode: 0o750 });
  writeFileSync(join(root, 'var/lib/service-of-pine/template'), 'of the image');
  writeFileSync(join(root, 'var/mark'), 'of the image');
  mkdirSync(join(root, 'usr/share/kept'), { recursive: true });
  writeFileSync(join(root, 'usr/share/kept/page'), 'of the image');
  mkdirSync(join(root, 'usr/lib/pine'), { recursive: true });
  cpSync('overlay/usr/lib/pine/state.list', join(root, 'usr/lib/pine/state.list'));
  run('ln', ['-sf', '/bin/busybox', join(root, 'sbin/init')]);
  run('rm', [join(root, 'sbin/init')]);
  writeFileSync(join(root, 'sbin/init'), probe, { mode: 0o755 });
  const version = await installDebianKernel(root, kernel, { compressModules: true });
  const { bytes } = await buildInitramfs(treeOf(root), { version });
  writeFileSync(join(folder, 'initramfs'), bytes);
  cpSync(join(root, 'boot', `vmlinuz-${version}`), join(folder, 'vmlinuz'));
  const disk = join(folder, 'disk.img');
  makeDisk(folder, disk, root);
  return { disk, version, boot: (options) => boot(folder, disk, options) };
}

const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

function run(program: string, args: string[], input?: string): void {
  execFileSync(program, args, { env: environment, stdio: ['pipe', 'ignore', 'inherit'], input });
}

function makeDisk(folder: string, disk: string, root: string): void {
  run('truncate', ['-s', '234M', disk]);
  const table = Object.entries(partitions).map(([name, { start, size }]) => {
    const uuid = name === 'root-a' ? uuids.a : uuids.b;
    return `name="${name}", start=${start}MiB, size=${size}MiB, type=L${name.startsWith('root') ? `, uuid=${uuid}` : ''}`;
  });
  const script = `label: gpt\n${table.join('\n')}\n`;
  run('sfdisk', ['-q', '--no-reread', '--no-tell-kernel', disk], script);
  const image = join(folder, 'slot.squashfs');
  const left = ['-e', 'boot', 'lib/modules', 'lib/apk'];
  run('mksquashfs', [
    root,
    image,
    '-quiet',
    '-no-progress',
    '-all-root',
    '-noI',
    '-noD',
    '-noF',
    '-noX',
    ...left,
  ]);
  writeAt(disk, partitions['root-a'].start * mebibyte, readFileSync(image));
  const boot = join(folder, 'boot-partition/grub');
  mkdirSync(boot, { recursive: true });
  writeFileSync(join(boot, 'rescue-0'), rescue(folder, 7, 'rescued-7'));
  writeFileSync(join(boot, 'rescue-1'), rescue(folder, 12, 'rescued-12'));
  mkfs(disk, 'boot', ['-O', '^has_journal', '-d', join(folder, 'boot-partition')]);
  mkfs(disk, 'data', ['-b', '1024']);
  const swap = join(folder, 'swap');
  run('truncate', ['-s', `${partitions.swap.size}M`, swap]);
  run('mkswap', ['-q', swap]);
  writeAt(disk, partitions.swap.start * mebibyte, readFileSync(swap).subarray(0, 4096));
}

/** A rescue copy as pinectl writes it: the hostname says which one it is. */
function rescue(folder: string, sequence: number, name: string): Buffer {
  const files = join(folder, name);
  mkdirSync(join(files, 'etc'), { recursive: true });
  mkdirSync(join(files, 'root/.ssh'), { recursive: true });
  writeFileSync(join(files, 'etc/hostname'), `${name}\n`);
  writeFileSync(join(files, 'root/.ssh/authorized_keys'), `key of ${name}\n`);
  const tar = join(folder, `${name}.tar`);
  run('tar', ['-cf', tar, '-C', files, 'etc/hostname', 'root/.ssh/authorized_keys']);
  return encodeRescue({ sequence, tar: readFileSync(tar) });
}

function mkfs(disk: string, name: 'boot' | 'data', options: string[]): void {
  const { start, size } = partitions[name];
  run('mkfs.ext4', [
    '-q',
    '-F',
    ...options,
    '-E',
    `offset=${start * mebibyte}`,
    disk,
    `${size * 1024}k`,
  ]);
}

/** Overwrites bytes of a disk. */
export function writeAt(disk: string, position: number, bytes: Uint8Array): void {
  const file = openSync(disk, 'r+');
  writeSync(file, bytes, 0, bytes.length, position);
  closeSync(file);
}

async function boot(
  folder: string,
  disk: string,
  options: Parameters<TestMachine['boot']>[0],
): Promise<string> {
  const {
    choice,
    slot = 'a',
    deployment = 'one',
    devices = [],
    resets = 0,
    seconds = 110,
  } = options;
  const commandLine = [
    // A busy host makes an emulated timer late: the kernel would take it for broken, and panic.
    'console=ttyS0 no_timer_check',
    `pine.deployment=${deployment} pine.slot=${slot} pine.partuuid=${uuids[slot].toLowerCase()}`,
    `pine.choice=${choice} pine.block=1 "pine.skipped=2:hash 3:tries" panic=5`,
    options.arguments ?? '',
  ];
  const child = spawn('qemu-system-x86_64', [
    ...[
      '-accel',
      'tcg,thread=multi',
      '-cpu',
      'max',
      '-m',
      '160',
      '-nodefaults',
      '-display',
      'none',
    ],
    ...['-serial', 'stdio', ...(resets === 0 ? ['-no-reboot'] : [])],
    ...['-drive', `if=virtio,format=raw,cache=unsafe,file=${disk}`, ...devices],
    ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initramfs')],
    ...['-append', commandLine.join(' ')],
  ]);
  let console = '';
  child.stdout.on('data', (piece) => {
    console += piece;
  });
  child.stderr.on('data', (piece) => {
    console += piece;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return console;
}
