import { describe, expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import { parseLayout } from '../../../../src/disk/layout.ts';
import { PineError } from '../../../../src/error.ts';
import { bootEntryOf } from '../../../../src/install/hijack/boot-entry.ts';
import { judge } from '../../../../src/install/hijack/preflight.ts';
import { surveyHost } from '../../../../src/install/hijack/survey.ts';
import { findRoad } from '../../../../src/install/hijack/take-over/road.ts';
import { type Changes, recordedHost } from '../support/recorded-host.ts';
import { bootOption, espGuid, uefiMachine, variable } from '../support/uefi-machine.ts';

const layouts = [parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg')];
const header = `Filesystem UUID:          5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11
Filesystem features:      has_journal ext_attr extent 64bit
Filesystem state:         clean
Inode count:              185840
Block count:              684000
Block size:               4096
`;

async function look(changes: Changes = {}) {
  const { files, commands } = uefiMachine();
  const host = recordedHost('debian-vps', {
    files: { ...files, ...changes.files },
    commands: { dumpe2fs: header, ...commands, ...changes.commands },
  });
  const facts = await surveyHost(host);
  const { refusals, disk } = judge(facts, { commit: undefined, layouts });
  const road =
    disk === undefined || refusals.length > 0
      ? undefined
      : await findRoad(host, facts, disk).catch((error: unknown) => {
          if (error instanceof PineError) return error;
          throw error;
        });
  const errors = road instanceof PineError ? [road] : refusals;
  return { disk, road, refused: errors.map(({ code, details }) => `${code}: ${details.found}`) };
}

describe('a machine with UEFI', () => {
  test('can be taken over: its EFI system partition stays, and becomes that of pine', async () => {
    const { disk, road, refused } = await look();
    expect(refused).toEqual([]);
    expect(disk?.esp).toBe(15);
    expect(disk?.partitions.map(({ number, role }) => `${number} ${role}`)).toEqual([
      ...['2 boot', '3 root-a', '4 root-b', '5 swap', '6 data'],
    ]);
    const end = (disk?.shrunk.start ?? 0) + (disk?.shrunk.size ?? 0);
    expect(disk?.partitions[0]?.start).toBeGreaterThanOrEqual(end);
    expect(road).toMatchObject({
      esp: {
        ...{ number: 15, start: 1 << 20, mountPoint: '/boot/efi' },
        folders: [
          {
            ...{ name: 'debian', programs: ['grubx64.efi', 'shimx64.efi'], exists: true },
            ...{ ready: 'PINE-1', old: 'OLD-1' },
          },
          { name: 'BOOT', programs: ['BOOTX64.EFI'], exists: true, ready: 'PINE-2', old: 'OLD-2' },
        ],
      },
    });
  });

  test('without boot entries, or with one for the disk, can be taken over', async () => {
    const { files } = uefiMachine();
    const names = Object.keys(files).filter((name) => /\/Boot/.test(name));
    const none = Object.fromEntries(names.map((name) => [name, undefined]));
    expect((await look({ files: none })).refused).toEqual([]);
    const other = variable('Boot0003', Buffer.from([1, 0, 0, 0, 4, 0, 0, 0, 0x7f, 0xff, 4, 0]));
    expect((await look({ files: other })).refused).toEqual([]);
  });

  test.each<[string, Changes, string]>([
    [
      '32 bits',
      { files: { '/sys/firmware/efi/fw_platform_size': '32\n' } },
      'INPUT_FIRMWARE: 32 bits',
    ],
    ['Secure Boot', { files: variable('SecureBoot', Buffer.from([1])) }, 'STATE_SECURE_BOOT: on'],
    [
      'nothing mounted',
      { files: { '/proc/self/mountinfo': '26 1 254:1 / / rw - ext4 /dev/vda1 rw\n' } },
      'INPUT_ESP: none',
    ],
    [
      'an EFI system partition of another disk',
      {
        files: {
          '/proc/self/mountinfo': `26 1 254:1 / / rw - ext4 /dev/vda1 rw
40 26 254:15 / /boot/efi rw - vfat /dev/vdb1 rw
`,
        },
      },
      'INPUT_ESP: /dev/vdb1',
    ],
    [
      'an EFI system partition that is mounted read-only',
      {
        files: {
          '/proc/self/mountinfo': `26 1 254:1 / / rw - ext4 /dev/vda1 rw
40 26 254:15 / /boot/efi ro - vfat /dev/vda15 ro
`,
        },
      },
      'INPUT_ESP: mounted ro',
    ],
    [
      'another program that was started',
      { files: variable('Boot0003', bootOption(espGuid, '\\EFI\\systemd\\systemd-bootx64.efi')) },
      'INPUT_FIRMWARE: \\EFI\\systemd\\systemd-bootx64.efi',
    ],
    [
      'GRUB of another partition',
      {
        files: variable(
          'Boot0003',
          bootOption('11111111-2222-3333-4444-555555555555', '\\EFI\\debian\\grubx64.efi'),
        ),
      },
      'INPUT_FIRMWARE: partition 11111111-2222-3333-4444-555555555555',
    ],
    [
      'no room',
      { commands: { 'df --output=avail -B1 /boot/efi': 'Avail\n1000000\n' } },
      'SPACE_ESP: 1000000 bytes: 5455296 too few',
    ],
    [
      'no modules',
      { files: { '/boot/grub/x86_64-efi/hashsum.mod': undefined } },
      'PROGRAM_MISSING: no such file',
    ],
  ])('with %s is refused', async (_, changes, expected) => {
    expect((await look(changes)).refused).toContain(expected);
  });

  test('without GRUB, without variables, or with an MBR is refused', async () => {
    const { files } = uefiMachine();
    const without = (pattern: RegExp) => {
      const names = Object.keys(files).filter((name) => !pattern.test(name));
      return Object.fromEntries(names.map((name) => [name, files[name]]));
    };
    const refused = async (files: NonNullable<Changes['files']>) => {
      const host = recordedHost('debian-vps', { ...uefiMachine(), files });
      const { refusals } = judge(await surveyHost(host), { commit: undefined, layouts });
      return refusals.map(({ code, details }) => `${code}: ${details.found}`);
    };
    expect(await refused(without(/\/EFI\//))).toContain('NOT_FOUND_GRUB: no GRUB for UEFI');
    expect(await refused(without(/efivars/))).toEqual(['INPUT_FIRMWARE: none']);
    const { road } = await look({ files: { ...without(/dev\/vda$/), '/dev/vda': mbr() } });
    expect(road).toMatchObject({ code: 'INPUT_TAKE_OVER', details: { found: 'UEFI and an MBR' } });
  });
});

/** One partition with Linux. */
function mbr(): Buffer {
  const sector = Buffer.alloc(512);
  sector.writeUInt8(0x83, 446 + 4);
  sector.writeUInt32LE(2048, 446 + 8);
  sector.writeUInt32LE(5_800_000, 446 + 12);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

test('a boot entry that is damaged, or names no file, says nothing', () => {
  const whole = bootOption(espGuid, '\\EFI\\debian\\shimx64.efi');
  expect(bootEntryOf(whole)).toEqual({ partition: espGuid, path: '\\EFI\\debian\\shimx64.efi' });
  for (let size = 0; size < whole.length - 4; size += 1) {
    expect(bootEntryOf(whole.subarray(0, size))).toBeUndefined();
  }
  expect(bootEntryOf(Buffer.alloc(64))).toBeUndefined();
  expect(bootEntryOf(Buffer.alloc(64, 0xff))).toBeUndefined();
});
