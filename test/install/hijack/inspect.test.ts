import { expect, test } from 'vitest';
import { readAsset } from '../../../src/asset.ts';
import { parseLayout } from '../../../src/disk/layout.ts';
import type { Host } from '../../../src/install/hijack/host.ts';
import { inspect, requirePlan, type Wish } from '../../../src/install/hijack/inspect.ts';
import { codeOf, codeOfAsync } from '../../support/code-of.ts';
import { recordedHost } from './support/recorded-host.ts';
import { smallRemote } from './support/small-remote.ts';

const layouts = [parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg')];
const wish: Wish = { commit: undefined, layouts, kexec: false };
const offline = () => Promise.reject(new Error('nothing is to be fetched'));

/** What is in the way of a host, by its codes. */
async function refusals(host: Host, wanted: Partial<Wish> = {}) {
  const { preflight } = await inspect(host, { ...wish, ...wanted }, offline);
  return preflight.refusals.map(({ code }) => code);
}

test('a machine is looked at without a commit, and nothing is fetched', async () => {
  const { preflight, commit, facts } = await inspect(recordedHost('debian-vps'), wish, offline);
  expect(preflight.refusals).toEqual([]);
  expect(commit).toBeUndefined();
  expect(facts.storage.disk?.path).toBe('/dev/vda');
  expect(requirePlan(preflight)).toBe(preflight.disk);
});

test('what is off the road is said where nothing else is in the way, and only there', async () => {
  const files = { '/boot/grub/custom.cfg': 'set x=y\n' };
  expect(await refusals(recordedHost('debian-vps', { files }))).toEqual(['INPUT_TAKE_OVER']);
  const user = recordedHost('debian-vps', { files, userId: 1000 });
  expect(await refusals(user)).toEqual(['STATE_NOT_ROOT']);
  const { preflight } = await inspect(user, wish, offline);
  codeOf(() => requirePlan(preflight), 'STATE_NOT_ROOT');
});

test('the wish counts: the disk, kexec', async () => {
  const host = recordedHost('debian-vps');
  expect(await refusals(host, { disk: '/dev/vda' })).toEqual([]);
  expect(await refusals(host, { disk: '/dev/vdb' })).toEqual(['INPUT_OTHER_DISK']);
  expect(await refusals(host, { kexec: true })).toEqual(['PROGRAM_MISSING']);
});

test('the plan is made again of what is there then', async () => {
  const changed = { host: recordedHost('debian-vps') };
  const host: Host = { ...changed.host, report: (...call) => changed.host.report(...call) };
  const { preflight, planAgain } = await inspect(host, wish, offline);
  const blocks = (number: number) => `Estimated minimum size of the filesystem: ${number}\n`;
  changed.host = recordedHost('debian-vps', { commands: { resize2fs: blocks(250_000) } });
  const shrunk = (await planAgain()).shrunk.size;
  expect(shrunk).toBeGreaterThanOrEqual(250_000 * 4096);
  expect(shrunk).not.toBe(preflight.disk?.shrunk.size);
  changed.host = recordedHost('debian-vps', { commands: { resize2fs: blocks(720_000) } });
  await codeOfAsync(planAgain, 'SPACE_HIJACK');
});

test('a commit is looked at once its signature was checked, and its repository is closed', async () => {
  const remote = await smallRemote();
  const host = recordedHost('debian-vps');
  const look = (more: Partial<Wish>) => inspect(host, { ...wish, ...more }, remote.open);
  const { commit, preflight } = await look({ commit: remote.commit });
  expect(commit?.signedBy).toBe('release');
  const codes = preflight.refusals.map(({ code }) => code);
  expect([...new Set(codes)]).toEqual(['INPUT_NO_DRIVER']); // it has none at all
  expect(remote.counts).toEqual({ opened: 1, closed: 1 });
  const other = { ...remote.commit, keys: [remote.otherKey] };
  await codeOfAsync(() => look({ commit: other }), 'TRUST_UNKNOWN_KEY');
  expect(remote.counts).toEqual({ opened: 2, closed: 2 });
});
