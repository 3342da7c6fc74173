import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { UpgradeRemote } from '../../src/deploy/upgrade/survey.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import {
  deltaRemote,
  deltasRemote,
  makeDelta,
  makeDeltaOfObjects,
  type OfferedDelta,
} from './world/delta.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge, slotProblem } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { makeReleases, type Releases, upgradeOptions } from './world/releases.ts';
import { remoteOf } from './world/remote.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from './world/world.ts';

let releases: Releases;
/** What runs in slot a, and what the remote has that leads from there to v2. */
let ways: Record<'delta' | 'chain', { before: World; offers: Partial<UpgradeRemote> }>;
beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2, keys } = releases;
  const key = [keys.secretKey];
  const offer = async (from: typeof v0, to: typeof v0): Promise<OfferedDelta> => ({
    from: from.checksum,
    to: to.checksum,
    bytes: await makeDeltaOfObjects(from, to, key),
    files: 10_000_000,
  });
  ways = {
    delta: {
      before: await makeWorld({ a: v1, b: v0, order: [1, 2] }),
      offers: deltaRemote(await makeDelta(v1, v2, key)),
    },
    chain: {
      before: await makeWorld({ a: v0, b: v1, order: [1, 2] }),
      offers: deltasRemote(v2.checksum, [await offer(v0, v1), await offer(v1, v2)]),
    },
  };
});

function upgradeBy(way: 'delta' | 'chain') {
  return (world: World) => {
    const remote = remoteOf(releases.v2, ways[way].offers);
    return upgrade(machineOf(world), { ...upgradeOptions(releases), remote });
  };
}

/** What is on the machine, but for the plan and what was fetched: a plan that is fetched after all is no other end. */
async function describeWorld({ slots, boot, files }: World): Promise<string> {
  return [
    boot.disk.medium.toString('base64'),
    createHash('sha256').update(slots.b.medium).digest('hex'),
    ...files.describe('/data').filter((line) => !/\.plan|\/pine\/origins\//.test(line)),
  ].join('\n');
}

it.each(['delta', 'chain'] as const)(
  'S1 S2 S3 S7: an upgrade by a %s, cut at every write, boots what it booted and ends the same when run again',
  async (way) => {
    const { before } = ways[way];
    const begin = async () => afterCut(before, keepAll);
    const operation = upgradeBy(way);
    const whole = await begin();
    await operation(whole);
    const expected = await describeWorld(whole);
    const keptBytes = whole.power.log.some((line) => line.includes('deltas/made-0'));
    expect(keptBytes).toBe(way === 'chain');
    const choices = [
      { order: [1, 2] },
      { order: [1] },
      { order: [2, 1], trial: { block: 2, tries: 2 } },
    ];
    const { writes, states, problems } = await cutEverywhere({
      begin,
      operation,
      // One for each cut: upgrade.test.ts has all of them at the steps that are the same.
      losses: (cut) => [[keepAll, dropAll, randomLoss(cut)][cut % 3] ?? keepAll],
      judge: async (after) => {
        const broken = await judge(after, { before, running: 1, choices, etc: deploymentA });
        await operation(after);
        const end = await describeWorld(after);
        return end === expected ? broken : [...broken, 'S7: run again, it ends differently'];
      },
    });
    console.info(`upgrade by a ${way}: ${writes} writes, ${states} states judged`);
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(60);
  },
);

it('S7: what a run that was cut had made of a chain is made again, not taken up', async () => {
  const objects = {
    open(): AsyncIterable<Uint8Array> {
      throw new Error('an object was fetched');
    },
  };
  const world = afterCut(ways.chain.before, keepAll);
  await world.files.makeFolder('/data/pine/deltas', 0o755);
  await world.files.writeFile('/data/pine/deltas/made-0', Buffer.alloc(1000), 0o644);
  const notes: string[] = [];
  await upgrade(machineOf(world), {
    ...upgradeOptions(releases),
    remote: remoteOf(releases.v2, { ...ways.chain.offers, objects }),
    note: (text) => notes.push(text),
  });
  expect(notes).toEqual([]);
  expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
});
