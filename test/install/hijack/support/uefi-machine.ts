import { encodeGpt } from '../../../../src/disk/encode-gpt.ts';
import { blockDeviceColumns } from '../../../../src/install/hijack/storage/block-devices.ts';
import type { Changes } from './recorded-host.ts';

const MiB = 1 << 20;
const vendor = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const variables = '/sys/firmware/efi/efivars';
const diskSize = 3_000_000_000;
export const espGuid = '0c5f1c9a-6f1e-4b7b-9a53-5f0f6a1b2c3d';

/** A variable of UEFI, with its attributes. */
export function variable(name: string, value: Uint8Array): Record<string, Buffer> {
  return { [`${variables}/${name}-${vendor}`]: Buffer.concat([Buffer.from([7, 0, 0, 0]), value]) };
}

/** A boot entry that names a file of a partition, as efibootmgr makes them. */
export function bootOption(guid: string, path: string): Buffer {
  const hex = guid.replaceAll('-', '');
  const reversed = (from: number, to: number) =>
    Buffer.from(hex.slice(from, to), 'hex').reverse().toString('hex');
  const guidBytes = `${reversed(0, 8)}${reversed(8, 12)}${reversed(12, 16)}${hex.slice(16)}`;
  const node = (type: number, kind: number, content: Buffer) => {
    const head = Buffer.from([type, kind, 0, 0]);
    head.writeUInt16LE(4 + content.length, 2);
    return Buffer.concat([head, content]);
  };
  const place = Buffer.alloc(20); // number, start and size of the partition
  const disk = Buffer.concat([place, Buffer.from(guidBytes, 'hex'), Buffer.from([2, 2])]);
  const nodes = Buffer.concat([
    node(4, 1, disk),
    node(4, 4, Buffer.from(`${path}\0`, 'utf16le')),
    node(0x7f, 0xff, Buffer.alloc(0)),
  ]);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(1);
  head.writeUInt16LE(nodes.length, 4);
  return Buffer.concat([head, Buffer.from('debian\0', 'utf16le'), nodes]);
}

/** What makes the recorded VPS one with UEFI, a GPT, and a GRUB that shim starts. */
export function uefiMachine(): {
  files: NonNullable<Changes['files']>;
  commands: Record<string, string>;
} {
  const linux = '0fc63daf-8483-4772-8e79-3d69d8477de4';
  const esp = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
  const root = 125 * MiB;
  const gpt = encodeGpt(diskSize, '7d1f1f7e-2f0c-4f7e-8a55-111111111111', [
    {
      ...{ number: 1, name: '', type: linux, uuid: '7d1f1f7e-2f0c-4f7e-8a55-222222222222' },
      ...{ start: root, size: 2_800 * MiB - root },
    },
    { number: 15, name: '', type: esp, uuid: espGuid, start: MiB, size: 124 * MiB },
  ]);
  const first = Buffer.alloc(512);
  gpt.protective.copy(first, 446);
  first.writeUInt16LE(0xaa55, 510);
  const child = (number: number, more: object) => ({
    ...{ path: `/dev/vda${number}`, type: 'part', size: 124 * MiB, 'log-sec': 512 },
    ...more,
  });
  const disk = {
    ...{ path: '/dev/vda', type: 'disk', size: diskSize, pttype: 'gpt', 'log-sec': 512 },
    children: [child(1, { fstype: 'ext4', mountpoint: '/' }), child(15, { fstype: 'vfat' })],
  };
  return {
    files: {
      '/dev/vda': Buffer.concat([first, gpt.primary]),
      '/sys/firmware/efi': '',
      '/sys/firmware/efi/fw_platform_size': '64\n',
      ...variable('SecureBoot', Buffer.from([0])),
      ...variable('BootCurrent', Buffer.from([3, 0])),
      ...variable('Boot0003', bootOption(espGuid, '\\EFI\\debian\\shimx64.efi')),
      '/proc/self/mountinfo': `26 1 254:1 / / rw - ext4 /dev/vda1 rw
40 26 254:15 / /boot/efi rw - vfat /dev/vda15 rw
`,
      '/sys/class/block/vda15/partition': '15\n',
      '/boot/efi/EFI/debian/shimx64.efi': '',
      '/boot/efi/EFI/debian/grubx64.efi': '',
      '/boot/efi/EFI/debian/grub.cfg': '',
      '/boot/efi/EFI/BOOT/BOOTX64.EFI': '',
      '/boot/grub/grub.cfg': 'source $prefix/custom.cfg\n',
      '/usr/lib/grub/x86_64-efi/normal.mod': '',
      '/boot/grub/x86_64-efi/hashsum.mod': '',
    },
    commands: {
      [`lsblk -J -b -o ${blockDeviceColumns}`]: JSON.stringify({ blockdevices: [disk] }),
      'df --output=avail -B1 /boot/efi': 'Avail\n100000000\n',
    },
  };
}
