import { beforeAll, describe, expect, it } from 'vitest';
import { nothing } from '../../src/delta/delta-path.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import type { ErrorCode } from '../../src/error.ts';
import { objectPath } from '../../src/repo/object-name.ts';
import { refPath } from '../../src/repo/ref-name.ts';
import { bundleOf, openBundleBytes } from '../bundle/support/bundle-of.ts';
import { makeDeltaOfObjects, makeFullDelta, type OfferedDelta } from '../crash/world/delta.ts';
import { slotProblem } from '../crash/world/judge.ts';
import { keepAll } from '../crash/world/loss.ts';
import { ref } from '../crash/world/release.ts';
import { makeReleases, type Releases, upgradeOptions } from '../crash/world/releases.ts';
import { repositoryFiles } from '../crash/world/repository-files.ts';
import { afterCut, machineOf, makeWorld, type World } from '../crash/world/world.ts';
import { codeOfAsync } from '../support/code-of.ts';

let releases: Releases;
let base: World;
/** v1 runs; v2 is in the bundle. */
let delta: OfferedDelta;
let full: OfferedDelta;
beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2, keys } = releases;
  base = await makeWorld({ a: v1, b: v0, order: [1, 2] });
  const key = [keys.secretKey];
  const to = v2.checksum;
  delta = { from: v1.checksum, to, bytes: await makeDeltaOfObjects(v1, v2, key) };
  full = { from: nothing, to, bytes: await makeFullDelta(v2, key) };
});

async function apply(world: World, bytes: Buffer) {
  const { remote } = await openBundleBytes(bytes);
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const outcome = await upgrade(machineOf(world), { ...upgradeOptions(releases), remote, note });
  return { outcome, notes };
}

const filesWith = (...deltas: OfferedDelta[]) => repositoryFiles(releases.v2, deltas);

/** S5: it is refused with this code, and nothing but pine's own folder was written. */
async function expectRefused(bytes: Buffer, code: ErrorCode): Promise<void> {
  const world = afterCut(base, keepAll);
  await codeOfAsync(() => apply(world, bytes), code);
  expect(world.slots.b.written).toBe(false);
  expect(await world.boot.readChoice()).toEqual({ order: [1, 2] });
}

describe('an upgrade from a bundle', () => {
  it.each([
    ['a delta', () => [delta]],
    ['a full delta', () => [full]],
    ['both', () => [delta, full]],
  ])('writes what %s makes, and nothing onto the data partition for it', async (_, deltas) => {
    const world = afterCut(base, keepAll);
    const { outcome, notes } = await apply(world, bundleOf(filesWith(...deltas())));
    expect(outcome).toMatchObject({ kind: 'armed', fetched: { objects: 0 } });
    // All files but the deltas that are not used, and what is read again counts once.
    const [taken, ...others] = deltas();
    const files = [...filesWith(...deltas()).values()].reduce((sum, { length }) => sum + length, 0);
    const unused = others.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(taken).toBeDefined();
    expect(outcome.fetched?.bytes).toBe(files - unused);
    expect(notes).toEqual([]);
    expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
    expect(world.power.log.filter((line) => line.includes('deltas'))).toEqual([]);
  });

  it('S5: is refused before the slot changes when a byte of a delta is wrong', async () => {
    for (const at of [delta.bytes.length - 9, 1000, 300]) {
      const wrong = Buffer.from(delta.bytes);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      await expectRefused(bundleOf(filesWith({ ...delta, bytes: wrong })), 'NOT_FOUND_WAY');
    }
  });

  it('S5: is refused as a remote would be: not signed, another ref, another machine, an older one', async () => {
    const files = filesWith(delta);
    const without = (path: string) => bundleOf([...files].filter(([name]) => name !== path));
    const { v0, v2 } = releases;
    await expectRefused(without(objectPath(v2.checksum, 'commitmeta')), 'TRUST_NO_SIGNATURE');
    await expectRefused(without(refPath(ref)), 'CORRUPT_BUNDLE');
    const elsewhere = [...files].map(([name, bytes]) => {
      return [name === refPath(ref) ? refPath('test/elsewhere') : name, bytes] as const;
    });
    await expectRefused(bundleOf(elsewhere), 'NOT_FOUND_REMOTE_REF');
    const older = { ...full, to: v0.checksum };
    await expectRefused(bundleOf(repositoryFiles(v0, [older])), 'TRUST_OLDER');
    const other = { ...delta, from: v0.checksum };
    await expectRefused(bundleOf(filesWith(other)), 'NOT_FOUND_WAY');
    // Signed, and whole, but for two other images than its name says.
    const bytes = await makeDeltaOfObjects(v0, v2, [releases.keys.secretKey]);
    await expectRefused(bundleOf(filesWith({ ...delta, bytes })), 'NOT_FOUND_WAY');
  });

  it('S5: is refused when its parts do not make a bundle', async () => {
    const index = [...filesWith(delta).keys()].find((name) => name.endsWith('/index')) ?? '';
    for (const [name, content] of [
      [index, 'garbage'],
      ['config', '[core]\nrepo_version=1\nmode=bare\n'],
      ['../evil', 'x'],
    ] as const) {
      const files = new Map(filesWith(delta)).set(name, Buffer.from(content));
      await expectRefused(bundleOf(files), 'CORRUPT_BUNDLE');
    }
    await expectRefused(bundleOf(filesWith()), 'CORRUPT_BUNDLE');
  });

  it('takes the full delta when the running slot is damaged', async () => {
    const world = afterCut(base, keepAll);
    const { medium } = world.slots.a;
    medium[200_000] = (medium[200_000] ?? 0) ^ 1;
    const after = afterCut(world, keepAll);
    const { notes } = await apply(after, bundleOf(filesWith(delta, full)));
    expect(notes.join()).toContain('fetching the whole image');
    expect(slotProblem(after.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  });
});
