import { expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import { parseLayout } from '../../../../src/disk/layout.ts';
import { PineError } from '../../../../src/error.ts';
import { judge } from '../../../../src/install/hijack/preflight.ts';
import { surveyHost } from '../../../../src/install/hijack/survey.ts';
import { findRoad } from '../../../../src/install/hijack/take-over/road.ts';
import { type Changes, recordedHost } from '../support/recorded-host.ts';

const layouts = [parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg')];
const header = `Filesystem UUID:          5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11
Filesystem features:      has_journal ext_attr extent 64bit
Filesystem state:         clean
Inode count:              185840
Block count:              732165
Block size:               4096
`;
const sourced = 'if [ -f $prefix/custom.cfg ]; then source $prefix/custom.cfg; fi\n';

/** What the road says of the recorded VPS, which boots from an MBR, with changes. */
async function road(files: Changes['files'] = {}, firmware: 'bios' | 'uefi' = 'bios') {
  const host = recordedHost('debian-vps', {
    files: {
      '/boot/grub/grub.cfg': sourced,
      '/usr/lib/grub/i386-pc/boot.img': '',
      '/boot/grub/i386-pc/hashsum.mod': '',
      ...files,
    },
    commands: { dumpe2fs: header },
  });
  const facts = await surveyHost(host);
  const { disk } = judge(facts, { commit: undefined, layouts });
  if (disk === undefined) throw new Error('no plan');
  const machine = { ...facts.machine, firmware };
  return findRoad(host, { ...facts, machine }, disk).catch((error: unknown) => {
    if (error instanceof PineError) return `${error.code}: ${error.details.found}`;
    throw error;
  });
}

test('a VPS with BIOS, an MBR and one partition can be taken over', async () => {
  expect(await road()).toMatchObject({
    ...{ diskPath: '/dev/vda', rootPath: '/dev/vda1', rootNumber: 1, blockSize: 4096 },
    fileSystemUuid: '5d0ba7aa-2f9f-4a2f-9f10-3a1d7c2b9e11',
  });
});

test('what is off the road is named', async () => {
  expect(await road({}, 'uefi')).toBe('INPUT_TAKE_OVER: UEFI and an MBR');
  expect(await road({ '/etc/fstab': '# PARTUUID=x\nPARTUUID=1-01 / ext4 defaults 0 1\n' })).toBe(
    'INPUT_TAKE_OVER: PARTUUID=',
  );
  expect(await road({ '/etc/fstab': '# PARTUUID=x\n' })).toMatchObject({ rootNumber: 1 });
  expect(await road({ '/boot/grub/grub.cfg': 'menuentry x {}\n' })).toBe('INPUT_TAKE_OVER: none');
  // What update-grub leaves when 41_custom is not executable, and a comment of 40_custom
  expect(await road({ '/boot/grub/grub.cfg': '# source $prefix/custom.cfg\n' })).toBe(
    'INPUT_TAKE_OVER: none',
  );
  expect(await road({ '/boot/grub/custom.cfg': 'set x=y\n' })).toBe(
    'INPUT_TAKE_OVER: one of your own',
  );
  expect(await road({ '/boot/grub/custom.cfg': '# Written by pinectl hijack' })).toMatchObject({});
  expect(await road({ '/boot/grub/i386-pc/hashsum.mod': undefined })).toBe(
    'PROGRAM_MISSING: no such file',
  );
});
