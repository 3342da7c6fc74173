import { expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import { parseLayout } from '../../../../src/disk/layout.ts';
import { PineError } from '../../../../src/error.ts';
import { judge } from '../../../../src/install/hijack/preflight.ts';
import { surveyHost } from '../../../../src/install/hijack/survey.ts';
import { findRoad } from '../../../../src/install/hijack/take-over/road.ts';
import { type Changes, recordedHost } from '../support/recorded-host.ts';

const layouts = [parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg')];
/** What the road says of the recorded VPS, which boots from an MBR, with changes. */
async function road(files: Changes['files'] = {}, firmware: 'bios' | 'uefi' = 'bios') {
  const host = recordedHost('debian-vps', { files });
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
    fileSystemUuid: '6f0b2e6c-6f3f-4d6a-9a5b-8e5b6c1d2e3f',
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
