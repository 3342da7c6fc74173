import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder, run } from '../../../scripts/root/programs.ts';
import { debianEsp, debianEspUuid, installSignedGrub, uefiPackages } from './debian-esp.ts';
import { configureNetwork, type DebianNetwork, networkPackages } from './debian-network.ts';

/** What a provider's image of Debian has, and what pinectl names as needed; GRUB as the firmware needs it. */
const packages = [
  ...['systemd-sysv', 'udev', 'dbus', 'libpam-systemd', 'linux-image-cloud-amd64'],
  ...['initramfs-tools', 'GRUB', 'iproute2', 'openssh-server', 'e2fsprogs'],
  ...['fdisk', 'sudo', 'procps', 'kmod', 'zstd'],
];

/** Whole pages, as disks for rent have them: a kernel writes to such a disk itself by pages, not by sectors. */
export const debianDiskSize = 2862 * 1024 * 1024;
/** The byte of the disk where the root's partition begins. */
export const debianRoot = { bios: 1 << 20, uefi: debianEsp.start + debianEsp.size };

/** Who can log in, and how this machine is reached. */
export interface DebianServer {
  readonly hostName: string;
  /** A line for authorized_keys of root and of the user `admin`. */
  readonly loginKey: string;
  /** A GPT as Debian's own cloud images have it: GRUB in a small partition 14. */
  readonly table: 'mbr' | 'gpt';
  /** With UEFI: a GPT, an EFI system partition, and GRUB as it is for Secure Boot. */
  readonly firmware?: 'bios' | 'uefi';
  readonly network?: DebianNetwork;
  /** Bytes of a partition for swap at the end of an MBR, which is empty. */
  readonly lastPartition?: number;
  /** Debian 12, or 13. */
  readonly suite?: 'bookworm' | 'trixie';
  /** Lines of /etc/default/grub that count more than those of every server. */
  readonly grub?: readonly string[];
  /** As after some years: files lie in the part of the root that a take-over cuts off. */
  readonly isWorn?: boolean;
  /** Packages that it has besides. */
  readonly packages?: readonly string[];
}

/** A script for sfdisk. */
function tableOf({ table, firmware = 'bios', lastPartition = 0 }: DebianServer): string {
  const start = `start=${debianRoot[firmware] / 512}`;
  if (firmware === 'uefi') {
    const { number, ...esp } = debianEsp;
    return `label: gpt\n1: ${start}\n${number}: start=${esp.start / 512}, size=${esp.size / 512}, type=U\n`;
  }
  if (table === 'gpt') {
    return `label: gpt\nfirst-lba: 34\n1: ${start}\n14: start=34, size=2014, type=21686148-6449-6E6F-744E-656564454649\n`;
  }
  const size = Math.floor((debianDiskSize - debianRoot.bios - lastPartition) / 512);
  const last = lastPartition > 0 ? 'type=82\n' : '';
  return `label: dos\n${start}, size=${size}, type=83, bootable\n${last}`;
}

/** Answers on the second serial port, as on pine's machines of the tests. */
const controlService = `[Service]
ExecStart=/bin/bash /usr/sbin/pine-control
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/ttyS1
Restart=always
[Install]
WantedBy=multi-user.target
`;

/**
 * Makes a disk of a Debian server: one partition with ext4, GRUB by its own grub-install, a static
 * address. Made of Debian's own packages, kept from the first time on. Needs root, mmdebstrap
 * and a loop device.
 */
export async function makeDebianDisk(disk: string, server: DebianServer): Promise<void> {
  const { firmware = 'bios' } = server;
  const tree = await debianTree(server);
  const file = openSync(disk, 'w');
  ftruncateSync(file, debianDiskSize);
  closeSync(file);
  await script(['sfdisk', '-q', disk], tableOf(server));
  const loop = (await run('losetup', ['-f', '--show', disk])).trim();
  const partition = `${loop}p1`;
  const numbers =
    firmware === 'uefi' ? [1, debianEsp.number] : server.table === 'mbr' ? [1] : [1, 14];
  const mount = mkdtempSync(`${disk}.`);
  let mounted: string[] = [];
  try {
    await run('partx', ['-a', loop]);
    for (const number of numbers) await makeNode(loop, number);
    // What the mke2fs of Debian 13 sets by itself
    const newer = server.suite === 'trixie' ? ['-O', 'metadata_csum_seed,orphan_file'] : [];
    await run('mkfs.ext4', ['-q', '-F', ...newer, partition]);
    const bind = async (args: string[], at: string) => {
      await run('mount', [...args, at]);
      mounted = [at, ...mounted];
    };
    await bind([partition], mount);
    const filler = join(mount, 'filler');
    if (server.isWorn) await run('fallocate', ['-l', '1300MiB', filler]);
    await run('cp', ['-a', `${tree}/.`, mount]);
    await run('sync', ['-f', mount]);
    rmSync(filler, { force: true });
    await configure(mount, partition, server);
    for (const name of ['dev', 'proc', 'sys']) {
      await bind(['--bind', `/${name}`], join(mount, name));
    }
    await run('chroot', [mount, 'ssh-keygen', '-A']);
    const uuid = (await run('blkid', ['-s', 'UUID', '-o', 'value', partition])).trim();
    mkdirSync(join(mount, 'boot/grub'), { recursive: true });
    writeFileSync(join(mount, 'boot/grub/device.map'), `(hd0) ${loop}\n`);
    if (firmware === 'uefi') {
      await installSignedGrub(disk, mount, uuid);
      // Its own grub-install would make it.
      await run('chroot', [mount, 'grub-editenv', '/boot/grub/grubenv', 'create']);
    } else {
      const modules = '--modules=part_msdos part_gpt ext2 biosdisk';
      await run('chroot', [mount, 'grub-install', '--target=i386-pc', modules, loop]);
    }
    await run('chroot', [mount, 'update-grub']);
    // Without udev there is no /dev/disk/by-uuid, and it names the loop device.
    const cfg = join(mount, 'boot/grub/grub.cfg');
    const text = readFileSync(cfg, 'utf8');
    writeFileSync(cfg, text.replaceAll(`root=${partition}`, `root=UUID=${uuid}`));
    rmSync(join(mount, 'boot/grub/device.map'));
  } finally {
    for (const at of mounted) await run('umount', [at]);
    await run('partx', ['-d', loop]);
    for (const number of numbers) rmSync(`${loop}p${number}`, { force: true });
    await run('losetup', ['-d', loop]);
    rmSync(mount, { recursive: true });
  }
}

/** Writes a file of this host into the root of a Debian disk that is switched off. */
export async function putOnDebian(disk: string, from: string, to: string, mode = '0644') {
  const { partitiontable } = JSON.parse(await run('sfdisk', ['-J', disk]));
  const place = `${disk}?offset=${partitiontable.partitions[0].start * 512}`;
  await run('debugfs', ['-w', '-R', `write ${from} ${to}`, place]);
  await run('debugfs', ['-w', '-R', `sif ${to} mode 010${mode}`, place]);
}

async function debianTree(server: DebianServer): Promise<string> {
  const { suite = 'bookworm', network = 'ifupdown' } = server;
  const grub = server.firmware === 'uefi' ? uefiPackages : ['grub-pc'];
  const own = packages.flatMap((name) => (name === 'GRUB' ? grub : [name]));
  const wanted = [...own, ...networkPackages[network], ...(server.packages ?? [])];
  const key = createHash('sha256')
    .update([suite, ...wanted].join('\n'))
    .digest('hex');
  const kept = join(cacheFolder, 'debian', key.slice(0, 16));
  if (existsSync(kept)) return kept;
  mkdirSync(join(kept, '..'), { recursive: true });
  const work = mkdtempSync(`${kept}.`);
  try {
    await run('mmdebstrap', [
      ...['--variant=minbase', `--include=${wanted.join()}`],
      ...['--aptopt=Apt::Install-Recommends "false"', suite, join(work, 'tree')],
    ]);
    // Another test may have made it meanwhile.
    if (!existsSync(kept)) renameSync(join(work, 'tree'), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return kept;
}

/** Makes the node of a partition: a kernel without udev only names it in /sys. */
export async function makeNode(loop: string, number: number): Promise<void> {
  const node = `${loop}p${number}`;
  if (existsSync(node)) return;
  const path = `/sys/block/${basename(loop)}/${basename(node)}/dev`;
  await run('mknod', [node, 'b', ...readFileSync(path, 'utf8').trim().split(':')]);
}

async function configure(root: string, partition: string, server: DebianServer): Promise<void> {
  const { hostName, loginKey } = server;
  const uuid = (await run('blkid', ['-s', 'UUID', '-o', 'value', partition])).trim();
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  const isUefi = server.firmware === 'uefi';
  const esp = isUefi ? `UUID=${debianEspUuid} /boot/efi vfat umask=0077 0 1\n` : '';
  write('etc/fstab', `UUID=${uuid} / ext4 errors=remount-ro 0 1\n${esp}`);
  write('etc/hostname', `${hostName}\n`);
  const add = (path: string, line: string) => appendFileSync(join(root, path), `${line}\n`);
  add('etc/passwd', 'admin:x:1000:1000:Admin:/home/admin:/bin/bash');
  add('etc/group', 'admin:x:1000:');
  // As Debian 12 makes them: a hash that musl does not know
  add(
    'etc/shadow',
    'admin:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0:19000:0:99999:7:::',
  );
  for (const home of ['root', 'home/admin']) {
    mkdirSync(join(root, home, '.ssh'), { recursive: true, mode: 0o700 });
    write(`${home}/.ssh/authorized_keys`, `${loginKey}\n`);
  }
  await configureNetwork(root, server.network ?? 'ifupdown');
  await run('chown', ['-R', '1000:1000', join(root, 'home/admin')]);
  copyFileSync(
    join(import.meta.dirname, '../root/control.sh'),
    join(root, 'usr/sbin/pine-control'),
  );
  write('etc/systemd/system/pine-control.service', controlService);
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync('../pine-control.service', join(wants, 'pine-control.service'));
  add('etc/default/grub', 'GRUB_CMDLINE_LINUX="net.ifnames=0 console=ttyS0"');
  add('etc/default/grub', 'GRUB_TIMEOUT=1');
  // UEFI's console is on the serial port as well.
  add('etc/default/grub', `GRUB_TERMINAL="${isUefi ? 'console' : 'serial console'}"`);
  for (const line of server.grub ?? []) add('etc/default/grub', line);
}

/** Runs a program that reads a script from its input. */
async function script([program = '', ...args]: string[], input: string): Promise<void> {
  await run('sh', ['-c', 'printf %s "$0" | "$@"', input, program, ...args]);
}
