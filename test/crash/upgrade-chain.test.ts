import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { deltasRemote, makeDeltaOfObjects, type OfferedDelta } from './world/delta.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge, slotProblem } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { makeReleases, type Releases, upgradeOptions } from './world/releases.ts';
import { remoteOf } from './world/remote.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from './world/world.ts';

let releases: Releases;
let before: World;
let deltas: readonly OfferedDelta[];
beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2, keys } = releases;
  before = await makeWorld({ a: v0, b: v1, order: [1, 2] });
  const offer = async (from: typeof v0, to: typeof v0) => ({
    from: from.checksum,
    to: to.checksum,
    bytes: await makeDeltaOfObjects(from, to, [keys.secretKey]),
    files: 10_000_000,
  });
  deltas = [await offer(v0, v1), await offer(v1, v2)];
});

const begin = async () => afterCut(before, keepAll);

function upgradeA(world: World) {
  const remote = remoteOf(releases.v2, deltasRemote(releases.v2.checksum, deltas));
  return upgrade(machineOf(world), { ...upgradeOptions(releases), remote });
}

async function describeWorld({ slots, boot, files }: World): Promise<string> {
  return [
    boot.disk.medium.toString('base64'),
    createHash('sha256').update(slots.b.medium).digest('hex'),
    ...files.describe('/data').filter((line) => !line.includes('.plan')),
  ].join('\n');
}

it('S1 S2 S3 S7: an upgrade with a chain of deltas, cut at every write, boots what it booted and ends the same when run again', async () => {
  const whole = await begin();
  await upgradeA(whole);
  const expected = await describeWorld(whole);
  expect(whole.power.log.some((line) => line.includes('deltas/made-0'))).toBe(true);
  const choices = [
    { order: [1, 2] },
    { order: [1] },
    { order: [2, 1], trial: { block: 2, tries: 2 } },
  ];
  const { writes, states, problems } = await cutEverywhere({
    begin,
    operation: upgradeA,
    losses: (cut) => (cut % 2 === 0 ? [dropAll] : [randomLoss(cut)]),
    judge: async (after) => {
      const broken = await judge(after, { before, running: 1, choices, etc: deploymentA });
      await upgradeA(after);
      const end = await describeWorld(after);
      return end === expected ? broken : [...broken, 'S7: run again, it ends differently'];
    },
  });
  console.info(`upgrade with a chain of deltas: ${writes} writes, ${states} states judged`);
  expect(problems).toEqual([]);
  expect(writes).toBeGreaterThan(60);
});

it('S7: what a run that was cut had made of a chain is made again, not taken up', async () => {
  const served = remoteOf(releases.v2, deltasRemote(releases.v2.checksum, deltas));
  const objects = {
    open(): AsyncIterable<Uint8Array> {
      throw new Error('an object was fetched');
    },
  };
  const world = await begin();
  await world.files.makeFolder('/data/pine/deltas', 0o755);
  await world.files.writeFile('/data/pine/deltas/made-0', Buffer.alloc(1000), 0o644);
  const notes: string[] = [];
  await upgrade(machineOf(world), {
    ...upgradeOptions(releases),
    remote: { ...served, received: 0, objects },
    note: (text) => notes.push(text),
  });
  expect(notes).toEqual([]);
  expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
});
