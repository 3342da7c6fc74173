import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { armingWork } from '../../src/deploy/staging/arming-work.ts';
import { finalizeStaged } from '../../src/deploy/staging/finalize.ts';
import { readStaged } from '../../src/deploy/staging/staged-file.ts';
import { readStatus } from '../../src/deploy/status.ts';
import { armingSteps, runSteps } from '../../src/deploy/upgrade/steps.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { repairOtherSlot } from '../../src/deploy/verify/repair.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { slotProblem } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { makeRelease, type Release } from './world/release.ts';
import { makeReleases, type Releases, upgradeOptions } from './world/releases.ts';
import { remoteOf } from './world/remote.ts';
import {
  afterCut,
  deploymentA,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from './world/world.ts';

const etc = `/data/etc/${deploymentA}`;
const sshdConfig = (port: number, ciphers: string) => `Port ${port}\n\n\nCiphers ${ciphers}\n`;
const quiet = { hooks: standardHooks, note: () => {} };
const old: BootChoice = { order: [1, 2] };
const unlisted: BootChoice = { order: [1] };
const armed: BootChoice = { order: [2, 1], trial: { block: 2, tries: 2 } };

let releases: Releases;
let two: Release;
let three: Release;
let before: World;
/** The machine with v2 staged. */
let staged: World;
beforeAll(async () => {
  releases = await makeReleases();
  const make = (version: string, timestamp: number) =>
    makeRelease({
      ...{ version, timestamp, key: releases.keys.secretKey },
      objects: { libc: 300_000, [version]: 50_000 },
      etc: { sshd_config: sshdConfig(22, version) },
    });
  two = await make('2', 300);
  three = await make('3', 400);
  before = await makeWorld({ a: await make('1', 200), b: releases.v0, order: [1, 2] });
  await before.files.writeFile(`${etc}/sshd_config`, Buffer.from(sshdConfig(22, '1')), 0o644);
  before.files.settleAll();
  staged = await begin();
  await stage(staged);
  staged = afterCut(staged, keepAll);
});

const begin = async () => afterCut(before, keepAll);
const options = (release: Release = two) => ({
  ...upgradeOptions(releases),
  remote: remoteOf(release),
});
const stage = (world: World, release?: Release) =>
  upgrade(machineOf(world), { ...options(release), reboot: false });
const shutDown = (world: World) => finalizeStaged(machineOf(world), quiet);

/** Another port, as an administrator would set it, durable. */
async function edit(world: World, port: number): Promise<void> {
  const path = `${etc}/sshd_config`;
  await world.files.writeFile(path, Buffer.from(sshdConfig(port, '1')), 0o644);
  await world.files.sync(path);
}

async function read(world: World, deployment: string): Promise<string | undefined> {
  const bytes = await world.files.readFile(`/data/etc/${deployment}/sshd_config`, 1000);
  return bytes?.toString();
}

async function stagedOn(world: World) {
  const machine = machineOf(world);
  return readStaged(machine, await readSituation(machine));
}

function describeWorld({ slots, boot, files }: World): string {
  return [
    boot.disk.medium.toString('base64'),
    createHash('sha256').update(slots.b.medium).digest('hex'),
    ...files.describe('/data'),
  ].join('\n');
}

/** What is wrong with a machine that runs from slot a, staged or armed or neither. */
async function judge(after: World, choices: readonly BootChoice[], wanted: string) {
  const broken: string[] = [];
  const choice = await after.boot.readChoice();
  if (!choices.some((other) => JSON.stringify(other) === JSON.stringify(choice))) {
    broken.push(`S3: the choice is ${JSON.stringify(choice)}`);
  }
  if (!after.slots.a.medium.equals(before.slots.a.medium)) broken.push('S1: slot a was written');
  if (choice?.trial !== undefined) {
    const trial = await after.boot.readDeployment(choice.trial.block);
    const problem = slotProblem(after.slots.b.medium, trial?.commit ?? '');
    if (problem !== undefined) broken.push(`S2: slot b: ${problem}`);
    const found = await read(after, trial?.id ?? '');
    if (found !== wanted) broken.push(`S8: the new /etc has ${JSON.stringify(found)}`);
  }
  const waiting = await stagedOn(after);
  if (waiting !== undefined && slotProblem(after.slots.b.medium, waiting.commit) !== undefined) {
    broken.push('S2: what is staged is not whole');
  }
  return { broken, choice, waiting };
}

const losses = (cut: number) => [keepAll, dropAll, randomLoss(cut)];

describe('a staged deployment', () => {
  it('is chosen by nobody, is told by status, and costs nothing when it is asked for again', async () => {
    const world = afterCut(staged, keepAll);
    expect(await world.boot.readChoice()).toEqual(unlisted);
    const { staged: told, trial } = await readStatus(machineOf(world), []);
    expect(told).toMatchObject({ commit: two.checksum, slot: 'b', version: '2' });
    expect(trial).toBeNull();
    const again = await stage(world);
    expect(again).toMatchObject({ kind: 'staged', commit: two.checksum });
    expect(again.fetched).toBeUndefined();
    expect(await upgrade(machineOf(world), options())).toMatchObject({ kind: 'armed' });
    expect(await world.boot.readChoice()).toEqual(armed);
    expect(await stagedOn(world)).toBeUndefined();
  });

  it('S1 S2 S7: staging, cut at every write, leaves what it booted, and ends the same when run again', async () => {
    const whole = await begin();
    await stage(whole);
    const expected = describeWorld(whole);
    const { states, problems } = await cutEverywhere({
      begin,
      operation: (world) => stage(world),
      losses,
      judge: async (after) => {
        const { broken } = await judge(after, [old, unlisted], '');
        await stage(after);
        return describeWorld(after) === expected ? broken : [...broken, 'S7: ends differently'];
      },
    });
    console.info(`staging: ${states} states judged`);
    expect(problems).toEqual([]);
  });

  it('S3 S7 S8: arming, cut at every write, is armed with what was edited since, or still staged', async () => {
    const beginning = async () => {
      const world = afterCut(staged, keepAll);
      await edit(world, 2222);
      return afterCut(world, keepAll);
    };
    const wanted = sshdConfig(2222, '2');
    const whole = await beginning();
    expect(await shutDown(whole)).toMatchObject({ kind: 'armed' });
    const { states, problems } = await cutEverywhere({
      begin: beginning,
      operation: shutDown,
      losses,
      judge: async (after) => {
        const { broken, choice, waiting } = await judge(after, [unlisted, armed], wanted);
        if (choice?.trial === undefined && waiting === undefined) broken.push('S7: not staged');
        await shutDown(after);
        const end = await judge(after, [armed], wanted);
        return [...broken, ...end.broken];
      },
    });
    console.info(`arming what is staged: ${states} states judged`);
    expect(problems).toEqual([]);
  });

  it('S8: an edit after staging is in the new /etc after an ordinary reboot; taking the second merge out loses it', async () => {
    const world = afterCut(staged, keepAll);
    const id = (await stagedOn(world))?.deployment ?? '';
    await edit(world, 2222);
    await shutDown(world);
    expect(await read(world, id)).toBe(sshdConfig(2222, '2'));
    expect(await read(world, deploymentA)).toBe(sshdConfig(2222, '1'));

    const mutated = afterCut(staged, keepAll);
    await edit(mutated, 2222);
    const machine = machineOf(mutated);
    const situation = await readSituation(machine);
    const found = await readStaged(machine, situation);
    if (found === undefined) throw new Error('not staged');
    const without = armingSteps.filter(({ name }) => name !== 'merge /etc again');
    await runSteps(without, armingWork(machine, situation, found, quiet));
    const { broken } = await judge(mutated, [armed], sshdConfig(2222, '2'));
    expect(broken.join()).toContain('S8');
  });

  it('S8: an edit after staging is in the new /etc when the power was cut before it was armed', async () => {
    const world = afterCut(staged, keepAll);
    await edit(world, 2222);
    const rebooted = afterCut(world, dropAll);
    expect(await rebooted.boot.readChoice()).toEqual(unlisted);
    expect(await stagedOn(rebooted)).toMatchObject({ commit: two.checksum });
    await edit(rebooted, 2200);
    await shutDown(rebooted);
    const { broken } = await judge(rebooted, [armed], sshdConfig(2200, '2'));
    expect(broken).toEqual([]);
  });

  it('S10: a data partition that is full when the machine goes down leaves it staged, and nothing else', async () => {
    const world = afterCut(staged, keepAll);
    const files = overriding(world.files, {
      appendFile: async () => {
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
    });
    await expect(finalizeStaged({ ...machineOf(world), files }, quiet)).rejects.toThrow('no space');
    const { deployment = '' } = (await stagedOn(world)) ?? {};
    expect(await world.boot.readChoice()).toEqual(unlisted);
    expect(await world.files.status(`/data/etc/${deployment}.new`)).toBeUndefined();
    await edit(world, 2222);
    await shutDown(world);
    expect((await judge(world, [armed], sshdConfig(2222, '2'))).broken).toEqual([]);
  });

  it('is given up by a rollback, cut anywhere: the running system is not left', async () => {
    const giveUp = (world: World) => rollback(machineOf(world), { ...quiet, reboot: false });
    const whole = afterCut(staged, keepAll);
    expect(await giveUp(whole)).toMatchObject({ kind: 'given-up', left: two.checksum });
    expect(await shutDown(whole)).toEqual({ kind: 'nothing' });
    const { problems } = await cutEverywhere({
      begin: async () => afterCut(staged, keepAll),
      operation: giveUp,
      losses,
      judge: async (after) => {
        if ((await stagedOn(after)) !== undefined) await giveUp(after);
        const { broken } = await judge(after, [unlisted], '');
        const end = await shutDown(after);
        return end.kind === 'nothing' ? broken : [...broken, `it was ${end.kind}`];
      },
    });
    expect(problems).toEqual([]);
  });

  it('that was held and is wanted all the same is armed by the reboot', async () => {
    const world = afterCut(staged, keepAll);
    await rollback(machineOf(world), { ...quiet, reboot: false });
    await codeOfAsync(() => stage(world), 'STATE_HELD');
    const again = { ...options(), retry: true, reboot: false };
    expect(await upgrade(machineOf(world), again)).toMatchObject({ kind: 'staged' });
    expect(await shutDown(world)).toMatchObject({ kind: 'armed', commit: two.checksum });
    expect(await world.boot.readChoice()).toEqual(armed);
  });

  it('S2: is not repaired: a cut would leave it staged with its slot half written', async () => {
    const repair = () =>
      repairOtherSlot(machineOf(afterCut(staged, keepAll)), { keys: [], note: () => {} });
    await codeOfAsync(repair, 'STATE_ARMED');
  });

  it('S2: is forgotten before its slot is written with something newer', async () => {
    const { problems } = await cutEverywhere({
      begin: async () => afterCut(staged, keepAll),
      operation: (world) => stage(world, three),
      losses: () => [keepAll, dropAll],
      judge: async (after) => (await judge(after, [unlisted], '')).broken,
    });
    expect(problems).toEqual([]);
  });

  it('is not armed during a trial, in an emergency, without the data partition, or while a rollback waits', async () => {
    const world = afterCut(staged, keepAll);
    const settings: readonly (readonly [NonNullable<MachineSettings['running']>, string])[] = [
      [{ choice: 'emergency' }, 'kept'],
      [{ data: 'degraded' }, 'nothing'],
    ];
    for (const [running, kind] of settings) {
      expect(await finalizeStaged(machineOf(world, { running }), quiet)).toMatchObject({ kind });
    }
    await world.boot.writeChoice({ order: [3] });
    expect(await shutDown(world)).toMatchObject({ kind: 'kept' });
    await world.boot.writeChoice({ order: [1], trial: { block: 1, tries: 1 } });
    expect(await shutDown(world)).toMatchObject({ kind: 'kept' });
    expect(await stagedOn(world)).toBeDefined();
    expect(await world.boot.readChoice()).toEqual({ order: [1], trial: { block: 1, tries: 1 } });
  });

  it('that was armed and failed is not armed once more, wherever arming was cut', async () => {
    const whole = afterCut(staged, keepAll);
    await shutDown(whole);
    // The choice is written, staged.json is still there.
    const isLast = (line: string) => line.includes('remove') && line.includes('staged.json');
    const at = whole.power.log.findIndex(isLast);
    const again = afterCut(staged, keepAll);
    again.power.cutAt(at + 1);
    await expect(shutDown(again)).rejects.toThrow('power cut');
    const failed = afterCut(again, dropAll);
    expect(await failed.boot.readChoice()).toEqual(armed);
    await failed.boot.writeChoice({ order: [2, 1], trial: { block: 2, tries: 0 } });
    const settings = { ...quiet, health: standardHealth, tries: 2 };
    const skipped = { running: { skipped: [{ block: 2, why: 'tries' }] } } as const;
    const outcome = await bootComplete(machineOf(failed, skipped), settings);
    expect(outcome).toMatchObject({ kind: 'fell-back' });
    expect(await shutDown(failed)).toEqual({ kind: 'nothing' });
    expect(await failed.boot.readChoice()).toEqual(unlisted);
  });
});
