import { beforeAll, describe, expect, it } from 'vitest';
import type { UpgradeRemote } from '../../src/deploy/upgrade/survey.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import { PineError } from '../../src/error.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { deltaRemote, makeDelta } from '../crash/world/delta.ts';
import { slotProblem } from '../crash/world/judge.ts';
import { keepAll } from '../crash/world/loss.ts';
import { overriding } from '../crash/world/overriding.ts';
import { upgradeOptions } from '../crash/world/releases.ts';
import { remoteOf } from '../crash/world/remote.ts';
import { settledMachine } from '../crash/world/settled.ts';
import { afterCut, machineOf } from '../crash/world/world.ts';
import { codeOfAsync } from '../support/code-of.ts';

const { releases, base, fresh } = await settledMachine();
let delta: Buffer;
beforeAll(async () => {
  delta = await makeDelta(releases.v1, releases.v2, [releases.keys.secretKey]);
});

/** Upgrades with a remote that has this delta; tells what was said, and what was asked for. */
async function upgradeWith(changes: Partial<UpgradeRemote>, world = fresh()) {
  const notes: string[] = [];
  const remote = remoteOf(releases.v2, changes);
  const outcome = await upgrade(machineOf(world), {
    ...upgradeOptions(releases),
    remote,
    note: (text) => notes.push(text),
  });
  expect(outcome.kind).toBe('armed');
  expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  expect(await world.files.status('/data/pine/deltas')).toBeUndefined();
  return { outcome, notes, world };
}

const unwanted = {
  fetchPlan(): AsyncIterable<Uint8Array> {
    throw new Error('the plan was fetched');
  },
  objects: {
    open(): AsyncIterable<Uint8Array> {
      throw new Error('an object was fetched');
    },
  },
};

function broken(): PineError {
  return new PineError('REMOTE_BROKEN', 'the transfer broke off', {
    expected: 'more',
    found: 'less',
    where: 'memory',
    remedy: 'try again',
  });
}

describe('an upgrade with a delta', () => {
  it('fetches nothing else', async () => {
    const { outcome, notes } = await upgradeWith({ ...unwanted, ...deltaRemote(delta) });
    expect(outcome.fetched?.objects).toBe(0);
    expect(notes).toEqual([]);
  });

  it('is told by --plan without being fetched', async () => {
    let given = 0;
    const counting: Pick<UpgradeRemote, 'fetchDelta'> = {
      async *fetchDelta(_, { from }) {
        for (let at = from; at < delta.length; at += 1000) {
          given += 1000;
          yield delta.subarray(at, at + 1000);
        }
      },
    };
    const preview = (changes: Partial<UpgradeRemote>) => {
      const remote = remoteOf(releases.v2, changes);
      const options = { ...upgradeOptions(releases), remote, plan: true };
      return previewUpgrade(machineOf(fresh()), options);
    };
    const wayOf = async (changes: Partial<UpgradeRemote>) =>
      (await preview(changes)).ways?.find(({ kind }) => kind === 'delta');
    expect((await wayOf(counting))?.bytes).toBe(delta.length);
    expect(given).toBeLessThan(delta.length / 2);
    expect((await wayOf({}))?.refusal).toMatch('missing');
    expect((await wayOf(deltaRemote(damaged(300))))?.refusal).toMatch('no key that is trusted');
  });

  it('S7: goes on with a transfer that broke off', async () => {
    const world = fresh();
    const half = Math.floor(delta.length / 2);
    const breaking: Pick<UpgradeRemote, 'fetchDelta'> = {
      async *fetchDelta() {
        // A piece at a time is stored: more of them than are collected in memory.
        for (let at = 0; at < half; at += 1000) yield delta.subarray(at, Math.min(at + 1000, half));
        throw broken();
      },
    };
    const options = { ...upgradeOptions(releases), remote: remoteOf(releases.v2, breaking) };
    await codeOfAsync(() => upgrade(machineOf(world), options), 'REMOTE_BROKEN');
    expect(world.slots.b.medium.equals(base.slots.b.medium)).toBe(true);
    const asked: number[] = [];
    const whole = deltaRemote(delta, (from) => asked.push(from));
    await upgradeWith({ ...unwanted, ...whole }, world);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(0);
    expect(asked[0]).toBeLessThanOrEqual(half);
  });

  it('S7: fetches it again when what lies there is damaged', async () => {
    const world = fresh();
    const folder = '/data/pine/deltas';
    const path = `${folder}/${releases.v1.checksum}..${releases.v2.checksum}`;
    for (const left of [Buffer.alloc(delta.length), Buffer.from('?'), damaged(delta.length - 9)]) {
      const next = afterCut(world, keepAll);
      await next.files.makeFolder(folder, 0o755);
      await next.files.writeFile(path, left, 0o644);
      await upgradeWith({ ...unwanted, ...deltaRemote(delta) }, next);
    }
  });

  it('S5: does without one that is not right, and says why', async () => {
    const { publicKey: _, secretKey } = await generateKeyPair('other');
    const wrong: [Buffer, RegExp][] = [
      [await makeDelta(releases.v1, releases.v2, []), /expected a signature of release/],
      [await makeDelta(releases.v1, releases.v2, [secretKey]), /no key that is trusted/],
      [await makeDelta(releases.v0, releases.v2, [releases.keys.secretKey]), /damaged/],
      [await makeDelta(releases.v1, releases.v0, [releases.keys.secretKey]), /damaged/],
      [Buffer.concat([delta, Buffer.alloc(1)]), /damaged/],
      [delta.subarray(0, 100), /damaged/],
      [delta.subarray(0, delta.length - 1), /damaged/],
      [damaged(9), /of a version that is not known here: expected version .*, found version 259/],
      ...[3, 20, 300, 420, delta.length - 5].map((at): [Buffer, RegExp] => [
        damaged(at),
        /damaged|no key that is trusted/,
      ]),
    ];
    for (const [bytes, why] of wrong) {
      const { notes, outcome } = await upgradeWith(deltaRemote(bytes));
      expect(notes.join()).toMatch(why);
      expect(outcome.fetched?.objects).toBeGreaterThan(0);
    }
  });

  it('S10: does without one that there is no room for', async () => {
    const world = fresh();
    const machine = machineOf(world);
    let asked = 0;
    // Room for the first question, which is about /etc and the plans, and none for the delta.
    const files = overriding(world.files, {
      freeBytes: async () => (asked++ === 0 ? 2 ** 40 : 1_100_000),
    });
    const notes: string[] = [];
    await upgrade(
      { ...machine, files },
      {
        ...upgradeOptions(releases),
        remote: remoteOf(releases.v2, deltaRemote(delta)),
        note: (text) => notes.push(text),
      },
    );
    expect(notes.join()).toContain('no room for the delta');
    expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  });

  it('fetches the whole image when the running slot is damaged', async () => {
    const world = fresh();
    const { medium } = world.slots.a;
    medium[200_000] = (medium[200_000] ?? 0) ^ 1;
    const damagedWorld = afterCut(world, keepAll);
    const { notes } = await upgradeWith(deltaRemote(delta), damagedWorld);
    expect(notes.join()).toContain('fetching the whole image');
  });
});

function damaged(at: number): Buffer {
  const bytes = Buffer.from(delta);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}
