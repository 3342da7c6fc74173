import { beforeAll, describe, expect, it } from 'vitest';
import { nothing } from '../../src/delta/delta-path.ts';
import { readStatus } from '../../src/deploy/status.ts';
import type { UpgradeRemote } from '../../src/deploy/upgrade/survey.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import {
  deltasRemote,
  makeDeltaOfObjects,
  makeFullDelta,
  type OfferedDelta,
} from '../crash/world/delta.ts';
import { slotProblem } from '../crash/world/judge.ts';
import { keepAll } from '../crash/world/loss.ts';
import { overriding } from '../crash/world/overriding.ts';
import { makeRelease, type Release } from '../crash/world/release.ts';
import { makeReleases, type Releases, upgradeOptions } from '../crash/world/releases.ts';
import { remoteOf } from '../crash/world/remote.ts';
import { afterCut, machineOf, makeWorld, type World } from '../crash/world/world.ts';

let releases: Releases;
let base: World;
/** v0 runs; v2 is wanted. */
let first: OfferedDelta;
let second: OfferedDelta;
let direct: OfferedDelta;
let full: OfferedDelta;
/** From what runs, and as large as the image. */
let large: Buffer;

beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2, keys } = releases;
  base = await makeWorld({ a: v0, b: v1, order: [1, 2] });
  [first, second, direct] = [await offer(v0, v1), await offer(v1, v2), await offer(v0, v2)];
  const old = { commit: v0.checksum, image: v0.imageDigest };
  large = await makeFullDelta(v2, [keys.secretKey], old);
  full = {
    from: nothing,
    to: v2.checksum,
    bytes: await makeFullDelta(v2, [keys.secretKey]),
    files: v2.image.length + v2.plan.length,
  };
});

async function offer(from: Release, to: Release): Promise<OfferedDelta> {
  return {
    from: from.checksum,
    to: to.checksum,
    bytes: await makeDeltaOfObjects(from, to, [releases.keys.secretKey]),
    made: 70_000,
    files: 10_000_000,
  };
}

const offered = (...deltas: OfferedDelta[]) => deltasRemote(releases.v2.checksum, deltas);

function options(changes: Partial<UpgradeRemote>, notes: string[] = []) {
  const remote = remoteOf(releases.v2, changes);
  return { ...upgradeOptions(releases), remote, note: (text: string) => notes.push(text) };
}

async function upgradeWith(changes: Partial<UpgradeRemote>, world = afterCut(base, keepAll)) {
  const notes: string[] = [];
  const outcome = await upgrade(machineOf(world), options(changes, notes));
  expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  expect(await world.files.status('/data/pine/deltas')).toBeUndefined();
  const [, slot] = (await readStatus(machineOf(world), [])).slots;
  return { notes, outcome, origin: slot?.contents?.origin };
}

const noFiles = {
  fetchPlan(): AsyncIterable<Uint8Array> {
    throw new Error('the plan was fetched');
  },
  objects: {
    open(): AsyncIterable<Uint8Array> {
      throw new Error('an object was fetched');
    },
  },
};

describe('an upgrade takes the way of the fewest bytes', () => {
  it('a chain of deltas where there is none from what runs', async () => {
    const offers = { ...offered(first, second), ...noFiles };
    const { notes, outcome, origin } = await upgradeWith(offers);
    expect(notes).toEqual([]);
    expect(origin).toMatchObject({ way: 'chain', deltas: 2 });
    expect(outcome.fetched?.objects).toBe(0);
  });

  it('a chain of three', async () => {
    const { v1, v2, keys } = releases;
    const objects = { other: 30_000, libc: 300 * 1024, one: 70_000 };
    const make = { version: '1.5', timestamp: 250, key: keys.secretKey, objects };
    const between = await makeRelease(make);
    const chain = [first, await offer(v1, between), await offer(between, v2)];
    const { notes } = await upgradeWith({ ...offered(...chain), ...noFiles });
    expect(notes).toEqual([]);
  });

  it.each([
    ['the one from what runs', () => [first, second, direct], 'delta'],
    ['the chain if that is less', () => [first, second, { ...direct, bytes: large }], 'chain'],
    ['the full one', () => [first, full], 'full'],
    [
      'files that are less than a full one, by their size before compression',
      () => [full],
      'files',
    ],
    ['files if that is less', () => [{ ...direct, files: 1000 }, full], 'files'],
  ])('%s', async (_, deltas, kind) => {
    const machine = machineOf(afterCut(base, keepAll));
    const preview = await previewUpgrade(machine, {
      ...options(offered(...deltas())),
      plan: true,
    });
    const sizes = preview.ways?.filter((way) => way.refusal === undefined);
    expect(sizes?.[0]?.kind).toBe(kind);
    const figures = sizes?.map(({ bytes = 0 }) => bytes) ?? [];
    expect(figures).toEqual(figures.toSorted((a, b) => a - b));
    expect(preview.ways).toHaveLength(4);
    for (const way of preview.ways ?? []) expect(way.refusal).not.toBe('');
    const files = preview.ways?.find((way) => way.kind === 'files');
    expect(files?.bytes).toBeGreaterThan(0);
  });

  it('--plan writes nothing', async () => {
    const world = afterCut(base, keepAll);
    const before = world.files.describe('/data');
    await previewUpgrade(machineOf(world), {
      ...options(offered(first, second, full)),
      plan: true,
    });
    expect(world.files.describe('/data')).toEqual(before);
    expect(world.power.writes).toBe(0);
  });

  it('and the next one when it is not there or not right', async () => {
    const gone = { ...offered(first, second, direct) };
    const fetchDelta: UpgradeRemote['fetchDelta'] = (ends, from) =>
      ends.from === releases.v0.checksum && ends.to === releases.v2.checksum
        ? remoteOf(releases.v2).fetchDelta(ends, from)
        : gone.fetchDelta(ends, from);
    const { notes } = await upgradeWith({ ...gone, fetchDelta, ...noFiles });
    expect(notes.join()).toMatch(/the delta is not used/);
    const wrong = Buffer.from(second.bytes);
    wrong[wrong.length - 9] = (wrong.at(-9) ?? 0) ^ 1;
    const damaged = await upgradeWith(offered(first, { ...second, bytes: wrong }));
    expect(damaged.notes.join()).toMatch(/the chain of deltas is not used: a delta is damaged/);
    expect(damaged.outcome.fetched?.objects).toBeGreaterThan(0);
    expect(damaged.origin).toMatchObject({ way: 'files', deltas: 0 });
  });

  it('S5: deltas that do not join are refused before the slot changes', async () => {
    const { v1, v2, keys } = releases;
    const lying = { ...v1, imageDigest: { ...v1.imageDigest, sha256: 'ab'.repeat(32) } };
    const bytes = await makeDeltaOfObjects(lying, v2, [keys.secretKey]);
    const { notes } = await upgradeWith(offered(first, { ...second, bytes }));
    expect(notes.join()).toMatch(/the chain of deltas is not used: a delta is damaged/);
  });

  it('S10: a chain that there is no room for is not begun', async () => {
    const world = afterCut(base, keepAll);
    const sizes = first.bytes.length + second.bytes.length;
    let free = 2 ** 40;
    const files = overriding(world.files, {
      freeBytes: async () => {
        const answer = free;
        free = 1_060_000 + sizes + 50_000;
        return answer;
      },
    });
    const notes: string[] = [];
    const asked: string[] = [];
    const remote = offered(first, second);
    const fetchDelta: UpgradeRemote['fetchDelta'] = (ends, from) => {
      asked.push(ends.from);
      return remote.fetchDelta(ends, from);
    };
    await upgrade({ ...machineOf(world), files }, options({ ...remote, fetchDelta }, notes));
    expect(notes.join()).toMatch(/chain of deltas is not used: .* no room for it/);
    expect(asked).toEqual([]);
    expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  });

  it('S10: an index that says too little does not fill the data partition', async () => {
    const world = afterCut(base, keepAll);
    const written: string[] = [];
    const files = overriding(world.files, {
      freeBytes: async () => (written.length > 1 ? 1_100_000 : 2 ** 40),
      appendFile: async (path, bytes, mode) => {
        written.push(path);
        return world.files.appendFile(path, bytes, mode);
      },
    });
    const notes: string[] = [];
    const remote = offered({ ...first, made: 0 }, { ...second, made: 0 });
    await upgrade({ ...machineOf(world), files }, options(remote, notes));
    expect(notes.join()).toMatch(/no room for what deltas keep there/);
    expect(written.join()).not.toContain('made-');
    expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  });

  it('a damaged index, or one that leads nowhere, costs bytes and is no error', async () => {
    for (const text of ['', 'pine-deltas 2\nend\n', 'pine-deltas 1\nend\n']) {
      const { outcome } = await upgradeWith({ fetchDeltaIndex: async () => Buffer.from(text) });
      expect(outcome.fetched?.objects).toBeGreaterThan(0);
    }
  });

  it('takes the full delta when the running slot is damaged', async () => {
    const world = afterCut(base, keepAll);
    const { medium } = world.slots.a;
    medium[200_000] = (medium[200_000] ?? 0) ^ 1;
    const remote = { ...offered(direct, full), ...noFiles };
    const { notes, origin } = await upgradeWith(remote, afterCut(world, keepAll));
    expect(notes.join()).toContain('fetching the whole image');
    expect(origin).toMatchObject({ way: 'full', deltas: 1, resumedAt: 0 });
  });
});
