import { expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import { parseLayout } from '../../../../src/disk/layout.ts';
import type { Host } from '../../../../src/install/hijack/host.ts';
import { inspect } from '../../../../src/install/hijack/inspect.ts';
import { customCfgMark } from '../../../../src/install/hijack/take-over/installer-entry.ts';
import { stageInspected } from '../../../../src/install/hijack/take-over/stage-inspected.ts';
import { codeOfAsync } from '../../../support/code-of.ts';
import { type Changes, recordedHost } from '../support/recorded-host.ts';
import { smallRemote } from '../support/small-remote.ts';

const layouts = [parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg')];

/** Stages a take-over of the recorded VPS, which must end before anything of this machine is touched. */
async function stage(changes: Changes = {}) {
  const remote = await smallRemote();
  const host: Host = recordedHost('debian-vps', changes);
  const wish = { commit: undefined, layouts, kexec: false };
  const inspection = await inspect(host, wish, remote.open);
  const staged = () =>
    stageInspected(
      inspection,
      {
        ...{ commit: remote.commit, kexec: false, oldSystem: undefined, tries: 2 },
        confirmation: { after: undefined, deadline: 1800 },
        newDeploymentId: () => 'c0ffee',
      },
      {
        ...{ host, openRemote: remote.open, clock: () => 0 },
        ...{ progress: () => {}, note: () => {} },
      },
    );
  return { staged, counts: remote.counts };
}

test('what is in the way is thrown before the repository is opened', async () => {
  const { staged, counts } = await stage({ userId: 1000 });
  await codeOfAsync(staged, 'STATE_NOT_ROOT');
  expect(counts).toEqual({ opened: 0, closed: 0 });
});

test('the repository is closed when staging fails', async () => {
  const files = { '/boot/grub/custom.cfg': `${customCfgMark}\n` };
  const { staged, counts } = await stage({ files });
  await codeOfAsync(staged, 'STATE_HIJACK_STAGED');
  expect(counts).toEqual({ opened: 1, closed: 1 });
});
