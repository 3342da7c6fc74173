import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseLayout } from '../../../src/disk/layout.ts';
import type { CommitFacts } from '../../../src/install/hijack/commit-facts.ts';
import { judge } from '../../../src/install/hijack/preflight.ts';
import { blockDeviceColumns } from '../../../src/install/hijack/storage/block-devices.ts';
import { surveyHost } from '../../../src/install/hijack/survey.ts';
import { type Changes, recordedHost } from './support/recorded-host.ts';

const layouts = ['vm.cfg', 'vm-small.cfg'].map((name) =>
  parseLayout(readFileSync(new URL(`../../../layouts/${name}`, import.meta.url), 'utf8'), name),
);
const recorded = (path: string) =>
  readFileSync(new URL(`fixtures/debian-vps/${path}`, import.meta.url), 'utf8');

async function look(
  changes: Changes = {},
  options: { commit?: CommitFacts; wantedDisk?: string; kexec?: boolean } = {},
) {
  const facts = await surveyHost(recordedHost('debian-vps', changes));
  return judge(facts, { commit: undefined, layouts, ...options });
}

/** Code and found of everything that is refused. */
async function refused(changes: Changes, options: Parameters<typeof look>[1] = {}) {
  const { refusals } = await look(changes, options);
  return refusals.map(({ code, details }) => `${code}: ${details.found}`);
}

/** What lsblk prints of one disk with these on it. */
function disks(...nodes: object[]) {
  const disk = { path: '/dev/sda', type: 'disk', size: 3e9, pttype: 'dos', 'log-sec': 512 };
  return { lsblk: JSON.stringify({ blockdevices: [{ ...disk, children: nodes }] }) };
}
const root = (fsType: string, source: string) => ({
  '/proc/self/mountinfo': `26 1 254:1 / / rw,relatime shared:1 - ${fsType} ${source} rw\n`,
});
const part = (path: string, more: object) => ({ path, type: 'part', size: 2e9, ...more });

describe('a Debian server as a provider ships it', () => {
  test('can be taken over: where everything goes, what is carried over, what is lost', async () => {
    const { refusals, disk, layout, lost } = await look();
    expect(refusals).toEqual([]);
    expect(layout).toBe('vm.cfg');
    expect(disk?.shrunk.start).toBe(1 << 20);
    expect(disk?.partitions.map(({ number, role }) => `${number} ${role}`)).toEqual([
      ...['2 bios-grub', '3 esp', '4 boot', '5 root-a', '6 root-b', '7 swap', '8 data'],
    ]);
    expect(lost.join('\n')).toContain('passwords of admin');
    expect(lost.join('\n')).toContain('e2scrub_reap, networking, ssh');
    const { login, network, devices } = await surveyHost(recordedHost('debian-vps'));
    expect(login).toMatchObject({
      ports: [2222],
      timeZone: 'Europe/Berlin',
      hostname: 'debian-vps',
    });
    expect(login.hostKeys).toHaveLength(3);
    expect(login.users.map(({ name, keyFiles }) => [name, keyFiles.length])).toEqual([
      ['root', 0],
      ['admin', 1],
    ]);
    expect(network.network.interfaces[0]?.mac).toBe('52:54:00:12:34:56');
    expect(devices.map(({ driver, early }) => [driver, early])).toEqual([
      ['virtio_blk', true],
      ['virtio_pci', true],
      ['virtio_net', false],
      ['virtio_pci', false],
    ]);
  });
});

describe('what can not be taken over is refused, and named', () => {
  test('not root, a container, another processor, Secure Boot, pine already', async () => {
    expect(await refused({ userId: 1000 })).toEqual(['STATE_NOT_ROOT: user 1000']);
    expect(await refused({ processor: 'arm64' })).toEqual(['INPUT_PROCESSOR: arm64']);
    expect(await refused({ commands: { 'systemd-detect-virt --container': 'lxc\n' } })).toEqual([
      'STATE_CONTAINER: lxc',
    ]);
    const unnamed = { 'systemd-detect-virt': undefined };
    const environment = { '/proc/1/environ': 'PATH=/bin\0container=openvz\0' };
    expect(await refused({ commands: unnamed, files: environment })).toEqual([
      'STATE_CONTAINER: openvz',
    ]);
    expect(await refused({ files: { '/run/pine/boot': '' } })).toEqual([
      'STATE_IS_PINE: /run/pine/boot is there',
    ]);
    const secure = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
    const files = { '/sys/firmware/efi': '', [secure]: Buffer.from([6, 0, 0, 0, 1]) };
    expect(await refused({ files })).toContain('STATE_SECURE_BOOT: on');
    const off = { ...files, [secure]: Buffer.from([6, 0, 0, 0, 0]) };
    expect(await refused({ files: off })).not.toContain('STATE_SECURE_BOOT: on');
  });

  test.each([
    [
      'LVM in LUKS',
      'ext4',
      '/dev/mapper/vg-root',
      part('/dev/sda3', {
        children: [
          {
            ...{ path: '/dev/mapper/sda3_crypt', type: 'crypt' },
            children: [{ path: '/dev/mapper/vg-root', type: 'lvm', mountpoint: '/' }],
          },
        ],
      }),
      'ext4 on lvm /dev/mapper/vg-root on crypt /dev/mapper/sda3_crypt on part /dev/sda3 on disk /dev/sda',
    ],
    [
      'RAID',
      'ext4',
      '/dev/md0',
      part('/dev/sda1', { children: [{ path: '/dev/md0', type: 'raid1', mountpoint: '/' }] }),
      'ext4 on raid1 /dev/md0 on part /dev/sda1 on disk /dev/sda',
    ],
    [
      'btrfs',
      'btrfs',
      '/dev/sda1',
      part('/dev/sda1', { fstype: 'btrfs', mountpoint: '/' }),
      'btrfs on part /dev/sda1 on disk /dev/sda',
    ],
    ['xfs', 'xfs', '/dev/sda1', part('/dev/sda1', {}), 'xfs on part /dev/sda1 on disk /dev/sda'],
    [
      'nothing known',
      'overlay',
      'overlay',
      part('/dev/sda1', {}),
      'overlay on no disk that lsblk knows',
    ],
  ])('%s', async (_, fsType, source, node, found) => {
    const outcome = await refused({ files: root(fsType, source), commands: disks(node) });
    expect(outcome[0]).toBe(`INPUT_ROOT_STORAGE: ${found}`);
  });

  test('two disks in a mirror: both are named', async () => {
    const mirror = { path: '/dev/md0', type: 'raid1', mountpoint: '/' };
    const disk = (name: string) => ({
      ...{ path: `/dev/${name}`, type: 'disk' },
      children: [part(`/dev/${name}1`, { children: [mirror] })],
    });
    const lsblk = JSON.stringify({ blockdevices: [disk('sda'), disk('sdb')] });
    expect((await refused({ files: root('ext4', '/dev/md0'), commands: { lsblk } }))[0]).toContain(
      'on disk /dev/sda and raid1 /dev/md0 on part /dev/sdb1 on disk /dev/sdb',
    );
  });

  test('a root that is read-only or damaged, a disk that is not the one that runs', async () => {
    const files = { '/proc/self/mountinfo': '26 1 254:1 / / ro - ext4 /dev/vda1 ro\n' };
    expect(await refused({ files })).toEqual(['STATE_READ_ONLY_ROOT: mounted ro']);
    const damaged = recorded('commands/dumpe2fs -h |dev|vda1').replace(
      /(Filesystem state: +)clean/,
      '$1clean with errors',
    );
    expect(await refused({ commands: { dumpe2fs: damaged } })).toEqual([
      'INPUT_ROOT_FILE_SYSTEM: clean with errors',
    ]);
    expect(await refused({}, { wantedDisk: '/dev/vdb' })).toEqual(['INPUT_OTHER_DISK: /dev/vdb']);
    expect(await refused({}, { wantedDisk: '/dev/vda' })).toEqual([]);
  });

  test('no GRUB, or a kernel of the provider', async () => {
    const first = readFileSync(new URL('fixtures/debian-vps/dev/vda', import.meta.url));
    const bare = Buffer.concat([Buffer.alloc(440), first.subarray(440)]);
    const files = { '/dev/vda': bare, '/boot/grub/grub.cfg': undefined };
    expect(await refused({ files })).toEqual([
      'NOT_FOUND_GRUB: no /boot/grub/grub.cfg, no GRUB for BIOS',
    ]);
    expect(await refused({ files: { '/proc/cmdline': 'root=/dev/vda1 console=hvc0\n' } })).toEqual([
      'INPUT_PROVIDER_KERNEL: none: the provider boots a kernel of its own',
    ]);
    const foreign = { '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz-custom root=/dev/vda1\n' };
    expect(await refused({ files: foreign })).toEqual(['INPUT_PROVIDER_KERNEL: /vmlinuz-custom']);
  });

  test('a partition with files: by its type, or under the type of swap; /boot on one of its own', async () => {
    const first = readFileSync(new URL('fixtures/debian-vps/dev/vda', import.meta.url));
    const second = (type: number) => {
      const bytes = Buffer.from(first);
      bytes.writeUInt32LE(4_000_000 - 2048, 446 + 12);
      bytes.writeUInt8(type, 462 + 4);
      bytes.writeUInt32LE(4_000_000, 462 + 8);
      bytes.writeUInt32LE(1_800_000, 462 + 12);
      return { '/dev/vda': bytes };
    };
    const lsblk = (more: object) => {
      const nodes = JSON.parse(recorded(`commands/lsblk -J -b -o ${blockDeviceColumns}`));
      nodes.blockdevices[0].children.push(part('/dev/vda2', more));
      return { lsblk: JSON.stringify(nodes) };
    };
    const swap = { fstype: 'swap', mountpoint: '[SWAP]' };
    expect(await refused({ files: second(0x82), commands: lsblk(swap) })).toEqual([]);
    const mounted = lsblk({ fstype: 'ext4', mountpoint: '/srv' });
    for (const type of [0x82, 0x83]) {
      expect(await refused({ files: second(type), commands: mounted })).toEqual([
        'INPUT_FOREIGN_PARTITION: /dev/vda2 (ext4 on /srv)',
      ]);
    }
    const unmounted = lsblk({ fstype: 'xfs' });
    expect(await refused({ files: second(0x82), commands: unmounted })).toEqual([
      'INPUT_FOREIGN_PARTITION: /dev/vda2 (xfs)',
    ]);
    const files = {
      ...second(0x83),
      '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz-6.1.0-56-cloud-amd64 root=/dev/vda1\n',
      '/proc/self/mountinfo': `${recorded('proc/self/mountinfo')}31 26 254:2 / /boot rw - ext4 /dev/vda2 rw\n`,
    };
    const boot = lsblk({ fstype: 'ext4', mountpoint: '/boot' });
    expect(await refused({ files, commands: boot })).toEqual([
      'INPUT_BOOT_PARTITION: ext4 on /dev/vda2',
      'INPUT_FOREIGN_PARTITION: /dev/vda2 (ext4 on /boot)',
    ]);
  });

  test('kexec that is missing, switched off, locked down or not built in, if it is asked for', async () => {
    const able = {
      commands: { 'kexec --version': 'kexec-tools 2.0.25\n' },
      files: {
        '/sys/kernel/kexec_loaded': '0\n',
        '/proc/sys/kernel/kexec_load_disabled': '0\n',
        '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
      },
    };
    expect(await refused({})).toEqual([]);
    expect(await refused({}, { kexec: true })).toEqual(['PROGRAM_MISSING: no such program']);
    expect(await refused(able, { kexec: true })).toEqual([]);
    expect((await look(able, { kexec: true })).entry).toBe('kexec');
    for (const [path, text, found] of [
      ['/proc/sys/kernel/kexec_load_disabled', '1\n', 'kernel.kexec_load_disabled = 1'],
      [
        '/sys/kernel/security/lockdown',
        'none [integrity] confidentiality\n',
        'lockdown: integrity',
      ],
      ['/sys/kernel/kexec_loaded', undefined, 'a kernel without kexec'],
    ] as const) {
      const files = { ...able.files, [path]: text };
      expect(await refused({ ...able, files }, { kexec: true })).toEqual([`STATE_KEXEC: ${found}`]);
    }
  });

  test('too little room, and by how much; too little memory', async () => {
    const lsblk = recorded(`commands/lsblk -J -b -o ${blockDeviceColumns}`);
    const minimum = (blocks: number) => ({
      resize2fs: `Estimated minimum size of the filesystem: ${blocks}\n`,
    });
    const small = await look({ commands: minimum(600_000) });
    expect(small.refusals.map(({ code }) => code)).toEqual(['SPACE_HIJACK']);
    const missing = Number(/(\d+) too few/.exec(small.refusals[0]?.details.found ?? '')?.[1]);
    // With a disk that is so much larger it fits; with one that is a whole MiB smaller it does not.
    const grow = (bytes: number) => ({
      ...minimum(600_000),
      lsblk: lsblk.replace('3000000000', String(3e9 + bytes)),
    });
    expect(await refused({ commands: grow(missing + (1 << 20)) })).toEqual([]);
    expect(await refused({ commands: grow(missing - (1 << 20)) })).toHaveLength(1);

    expect(await refused({ commands: { df: 'Avail\n100000000\n' } })).toEqual([
      expect.stringMatching(/^SPACE_OLD_ROOT: 100000000 bytes: \d+ too few$/),
    ]);
    const little = { '/proc/meminfo': 'MemTotal: 60000 kB\n' };
    expect(await refused({ files: little })).toEqual([
      expect.stringMatching(/^SPACE_MEMORY: 61440000 bytes: \d+ too few$/),
    ]);
  });

  test('nobody with a key; a key that only tells to log in as another is none', async () => {
    const path = '/home/admin/.ssh/authorized_keys';
    const none = { [path]: undefined };
    expect((await refused({ files: none }))[0]).toMatch(/^INPUT_NO_LOGIN/);
    const key = recorded(path.slice(1));
    const told = `no-pty,command="echo 'Please login as \\"debian\\"'" ${key}`;
    expect((await refused({ files: { [path]: told } }))[0]).toMatch(/^INPUT_NO_LOGIN/);
    expect(await refused({ files: { [path]: `from="10.0.0.0/8" ${key}` } })).toEqual([]);
  });

  test('an uplink on a bond', async () => {
    const addresses = JSON.parse(recorded('commands/ip -j -d addr'));
    addresses[1].linkinfo = { info_kind: 'bond' };
    const changes: Changes = {
      commands: { 'ip -j -d addr': JSON.stringify(addresses) },
      files: { '/etc/network/interfaces': undefined },
    };
    expect(await refused(changes)).toEqual(['INPUT_NETWORK: eth0, of the kind bond']);
  });

  test('a commit without the drivers, or without them in its initramfs; an image that no slot takes', async () => {
    const { devices } = await surveyHost(recordedHost('debian-vps'));
    const [disk, , card] = devices;
    if (disk === undefined || card === undefined) throw new Error('no devices');
    const commit: CommitFacts = {
      ...{ checksum: 'c'.repeat(64), version: '2', timestamp: 1, signedBy: 'release.pub' },
      imageSize: 200_000_000,
      missingDrivers: [
        { device: card, notInInitramfs: [] },
        { device: disk, notInInitramfs: ['virtio_blk'] },
      ],
    };
    expect(await refused({}, { commit })).toEqual([
      'INPUT_NO_DRIVER: none in modules.alias or built in',
      'INPUT_NO_DRIVER: virtio_blk, but not in the initramfs',
    ]);
    const large = { ...commit, missingDrivers: [], imageSize: 900_000_000 };
    expect(await refused({}, { commit: large })).toEqual([
      expect.stringMatching(/^SPACE_SLOT: 900000000 bytes: \d+ too many$/),
    ]);
  });
});
