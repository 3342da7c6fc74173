import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import type { RepairOptions } from '../../src/deploy/verify/prepare-repair.ts';
import { repairOtherSlot } from '../../src/deploy/verify/repair.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import type { PublicKey } from '../../src/trust/keys.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge, slotProblem } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { contentOf, makeRelease, type Release } from './world/release.ts';
import { upgradeOptions } from './world/releases.ts';
import { missing, remoteOf } from './world/remote.ts';
import {
  afterCut,
  deploymentA,
  deploymentB,
  machineOf,
  makeWorld,
  type World,
} from './world/world.ts';

let v0: Release;
let v1: Release;
let publicKey: PublicKey;
let keys: PublicKey[];
let before: World;

beforeAll(async () => {
  const pair = await generateKeyPair('release');
  publicKey = pair.publicKey;
  keys = [publicKey];
  const shared = { kernel: 400_000, libc: 100_000 };
  const make = (version: string, timestamp: number, own: Record<string, number>) =>
    makeRelease({ version, timestamp, key: pair.secretKey, objects: { ...shared, ...own } });
  v0 = await make('0', 100, { zero: 50_000, old: 900_000 });
  v1 = await make('1', 200, { one: 70_000 });
  before = await damagedWorld();
});

/** Slot a runs; in slot b what both have, and what only slot b has, is damaged. */
async function damagedWorld(): Promise<World> {
  const world = await makeWorld({ a: v1, b: v0, order: [2, 1] });
  for (const name of ['kernel', 'zero']) {
    const at = v0.image.indexOf(contentOf(name, 1000)) + 500;
    world.slots.b.medium.fill(0, at, at + 10);
  }
  return afterCut(world, keepAll);
}

const begin = async () => afterCut(before, keepAll);
const old: BootChoice = { order: [2, 1] };
const unlisted: BootChoice = { order: [1] };
const options = (changes: Partial<RepairOptions> = {}): RepairOptions => ({
  keys,
  remote: remoteOf(v0),
  note: () => {},
  checkpointBytes: 256 * 1024,
  ...changes,
});
const repair = (world: World, changes?: Partial<RepairOptions>) =>
  repairOtherSlot(machineOf(world), options(changes));

/** The slot that was damaged from the start is no news as long as it is as it was. */
async function judgeRepair(after: World): Promise<string[]> {
  const broken = await judge(after, {
    before,
    running: 1,
    choices: [old, unlisted],
    etc: deploymentA,
  });
  const untouched = after.slots.b.medium.equals(before.slots.b.medium);
  return broken.filter((problem) => !(untouched && problem.startsWith('S2: block 2')));
}

describe('a repair of the other slot', () => {
  it('S1 S2 S3 S7: cut at every write, leaves a machine that boots, and ends whole when run again', async () => {
    const whole = await begin();
    const outcome = await repair(whole);
    expect(outcome).toMatchObject({ before: { result: 'damaged' }, after: { result: 'whole' } });
    expect(await whole.boot.readChoice()).toEqual(old);
    const { writes, states, problems } = await cutEverywhere({
      begin,
      operation: repair,
      losses: (cut) => [keepAll, dropAll, randomLoss(cut)],
      judge: async (after) => {
        const broken = await judgeRepair(after);
        await repair(after);
        if (slotProblem(after.slots.b.medium, v0.checksum)) broken.push('S7: not whole');
        if (JSON.stringify(await after.boot.readChoice()) !== JSON.stringify(old)) {
          broken.push('S7: another order');
        }
        if (await after.files.status('/data/pine/writing.json')) broken.push('S7: unfinished');
        return broken;
      },
    });
    console.info(`repair: ${writes} writes, ${states} states judged`);
    expect(problems).toEqual([]);
  });

  it('takes from the remote only what neither slot has', async () => {
    const world = await begin();
    const asked: string[] = [];
    const remote = remoteOf(v0);
    const objects = {
      open(checksum: string, length: number) {
        asked.push(v0.objects.get(checksum)?.length.toString() ?? '');
        return remote.objects.open(checksum, length);
      },
    };
    await repair(world, { remote: overriding(remote, { objects }) });
    expect(new Set(asked)).toEqual(new Set(['50000']));
  });

  it('S7: goes on without a network when both slots have all that is needed', async () => {
    const world = await makeWorld({ a: v1, b: v0, order: [1, 2] });
    const at = v0.image.indexOf(contentOf('kernel', 1000));
    world.slots.b.medium.fill(0, at, at + 10);
    await machineOf(world).files.makeFolder('/data/pine/plans', 0o755);
    const steps = (await begin()).power.writes;
    world.power.cutAt(steps + 12);
    await expect(repair(world, { remote: undefined })).rejects.toThrow('power cut');
    const after = afterCut(world, dropAll);
    await repair(after, { remote: undefined });
    expect(slotProblem(after.slots.b.medium, v0.checksum)).toBeUndefined();
    expect(await after.boot.readChoice()).toEqual({ order: [1, 2] });
  });

  it('writes again what says nothing any more, by the commit that the remote has', async () => {
    const world = await begin();
    world.slots.b.medium.fill(0xff);
    const outcome = await repair(world);
    expect(outcome).toMatchObject({ before: { result: 'unreadable' }, after: { result: 'whole' } });
  });

  it('writes nothing when nothing is damaged', async () => {
    const world = await makeWorld({ a: v1, b: v0, order: [1, 2] });
    expect((await repair(world)).after).toBeUndefined();
    expect(world.power.log).toEqual([]);
  });

  it('writes nothing when what is damaged can not be had', async () => {
    const world = await begin();
    const { log } = world.power;
    await codeOfAsync(() => repair(world, { remote: undefined }), 'NOT_FOUND_OBJECT');
    const remote = remoteOf(v0, {
      objects: {
        // biome-ignore lint/correctness/useYield: it has none
        async *open(checksum) {
          throw missing(checksum);
        },
      },
    });
    await expect(repair(world, { remote })).rejects.toMatchObject({
      code: 'NOT_FOUND_REMOTE_FILE',
    });
    await world.files.remove('/data/pine/plans');
    const writes = log.length;
    await codeOfAsync(() => repair(world, { remote: undefined }), 'NOT_FOUND_PLAN');
    expect(log).toHaveLength(writes);
    expect(await world.boot.readChoice()).toEqual(old);
  });

  it('S5: takes no commit from the remote that no trusted key signed', async () => {
    const world = await begin();
    world.slots.b.medium.fill(0xff);
    const other = (await generateKeyPair('other')).publicKey;
    await codeOfAsync(() => repair(world, { keys: [other] }), 'TRUST_UNKNOWN_KEY');
    expect(world.power.log).toEqual([]);
  });

  it('S1: is refused on trial, while something is armed, and where nothing boots', async () => {
    const trial = (block: number) =>
      makeWorld({ a: v1, b: v0, order: [1, 2], trial: { block, tries: 2 } });
    await codeOfAsync(async () => repair(await trial(1)), 'STATE_ON_TRIAL');
    await codeOfAsync(async () => repair(await trial(2)), 'STATE_ARMED');
    const alone = await makeWorld({ a: v1, b: v0, order: [1] });
    await codeOfAsync(() => repair(alone), 'STATE_NOTHING_TO_REPAIR');
  });

  it('leaves a slot unbootable whose medium does not keep what is written', async () => {
    const world = await begin();
    const { b } = world.slots;
    Object.assign(b, {
      toMedium(position: number, bytes: Buffer) {
        b.medium.set(bytes, position);
        if (position === 0) b.medium.writeUInt8(b.medium.readUInt8(777) ^ 1, 777);
      },
    });
    await codeOfAsync(() => repair(world), 'CORRUPT_IMAGE');
    expect(await world.boot.readChoice()).toEqual(unlisted);
  });

  it('an upgrade to the same commit does not take up a repair that was cut', async () => {
    const whole = await begin();
    await repair(whole);
    const world = await begin();
    world.power.cutAt(whole.power.log.findIndex((line) => line.startsWith('b: ')) + 2);
    await expect(repair(world)).rejects.toThrow('power cut');
    const after = afterCut(world, keepAll);
    expect(await after.boot.readChoice()).toEqual(unlisted);
    const asked = { ...upgradeOptions({ keys: { publicKey }, v2: v0 }), allowDowngrade: true };
    const outcome = await upgrade(machineOf(after), asked);
    expect(outcome).toMatchObject({ kind: 'armed', resumedAt: 0 });
    expect(outcome.deployment).not.toBe(deploymentB);
  });
});

describe('the judge, proved by mutations', () => {
  async function problemsOf(mutate: (world: World) => Partial<ReturnType<typeof machineOf>>) {
    const operation = (world: World) =>
      repairOtherSlot({ ...machineOf(world), ...mutate(world) }, options());
    const { problems } = await cutEverywhere({
      begin,
      operation,
      losses: () => [keepAll, dropAll],
      judge: judgeRepair,
      until: /S2: block 2/,
    });
    return problems.join('\n');
  }

  it('S2: catches a slot that is written while it is listed', async () => {
    const problems = await problemsOf(({ boot }) => ({
      bootLoader: overriding(boot, { writeChoice: async () => {} }),
    })).catch((error: Error) => `${error}`);
    expect(problems).toMatch(/S2: block 2|left|in-use/);
  });

  it('S2: catches a slot that is listed again before it is flushed', async () => {
    const world = await begin();
    const { slots } = world;
    const b = overriding(slots.b, {
      open: async (mode) => ({ ...(await slots.b.open(mode)), flush: async () => {} }),
      dropCache: async () => {},
    });
    await repairOtherSlot({ ...machineOf(world), slots: { ...slots, b } }, options());
    const after = afterCut(world, dropAll);
    expect(await after.boot.readChoice()).toEqual(old);
    const expectation = { before, running: 1, choices: [old], etc: deploymentA };
    expect((await judge(after, expectation)).join()).toMatch(/S2: block 2/);
  });
});
