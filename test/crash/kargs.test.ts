import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import {
  type ChangeOptions,
  changeArguments,
  nextArguments,
} from '../../src/deploy/kernel-arguments/change.ts';
import type { ArgumentsEdit } from '../../src/deploy/kernel-arguments/edit.ts';
import type { Machine } from '../../src/deploy/machine.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { finalizeStaged } from '../../src/deploy/staging/finalize.ts';
import { readStaged } from '../../src/deploy/staging/staged-file.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { makeReleases, type Releases, upgradeOptions } from './world/releases.ts';
import {
  afterCut,
  deploymentA,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from './world/world.ts';

let releases: Releases;
let before: World;
beforeAll(async () => {
  releases = await makeReleases();
  before = await makeWorld({ a: releases.v1, b: releases.v0, order: [1, 2] });
});
const begin = async () => afterCut(before, keepAll);

const none: ArgumentsEdit = {
  append: [],
  appendIfMissing: [],
  delete: [],
  deleteIfPresent: [],
  replace: [],
};
const options = (edit: Partial<ArgumentsEdit> = { append: ['nosmt'] }): ChangeOptions => ({
  edit: { ...none, ...edit },
  trial: { tries: 2, deadline: 300 },
  health: standardHealth,
  hooks: standardHooks,
  reboot: true,
  note: () => {},
});
const change = (world: World, edit?: Partial<ArgumentsEdit>, machine = machineOf(world)) =>
  changeArguments(machine, options(edit));

const old: BootChoice = { order: [1, 2] };
const armed: BootChoice = { order: [3, 1, 2], trial: { block: 3, tries: 2 } };
const idOf = (serial: number) => `${releases.v1.checksum.slice(0, 12)}.${serial}`;

/** The machine after the reboot into a changed deployment. */
const inBlock = (block: number, serial: number, choice: 'trial' | 'order'): MachineSettings => ({
  running: { deployment: idOf(serial), slot: 'a', block, choice },
});
const bootSettings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
const confirm = (world: World, block: number, serial: number) =>
  bootComplete(machineOf(world, inBlock(block, serial, 'trial')), bootSettings);

const describeWorld = async ({ boot, files }: World) =>
  [boot.disk.medium.toString('base64'), ...files.describe('/data')].join('\n');

async function problemsOf(mutate: (machine: Machine, world: World) => Machine): Promise<string> {
  const operation = (world: World) => change(world, undefined, mutate(machineOf(world), world));
  const expectation = { before, running: 1, choices: [old, armed], etc: deploymentA };
  const { problems } = await cutEverywhere({
    begin,
    operation,
    losses: () => [keepAll, dropAll],
    judge: (after) => judge(after, expectation),
  });
  const whole = await begin();
  await operation(whole);
  return [...problems, ...(await judge(afterCut(whole, dropAll), expectation))].join('\n');
}

describe('a change of kernel arguments', () => {
  it('S1 S3 S6 S7: cut at every write, boots what it booted or the whole change, and ends the same', async () => {
    const whole = await begin();
    await change(whole);
    expect(await whole.boot.readChoice()).toEqual(armed);
    const expected = await describeWorld(whole);
    const { writes, problems } = await cutEverywhere({
      begin,
      operation: change,
      losses: (cut) => [keepAll, dropAll, randomLoss(cut)],
      judge: async (after) => {
        const expectation = { before, running: 1, choices: [old, armed], etc: deploymentA };
        const broken = await judge(after, expectation);
        if (after.slots.b.written) broken.push('a slot was written');
        const done = (await after.boot.readChoice())?.trial !== undefined;
        // Once armed it is done: asked again it would append once more.
        if (!done) await change(after);
        if (!done && (await describeWorld(after)) !== expected) broken.push('S7: ends differently');
        return broken;
      },
    });
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(20);
  });

  it('S1 S3 S7: the same where older changes have to make room', async () => {
    const world = await begin();
    await change(world);
    await confirm(world, 3, 0);
    expect(await world.boot.readChoice()).toEqual({ order: [3, 1, 2] });
    world.files.settleAll();
    const start = afterCut(world, keepAll);
    const second = (after: World) =>
      change(after, { append: ['quiet'] }, machineOf(after, inBlock(3, 0, 'order')));
    const { problems } = await cutEverywhere({
      begin: async () => afterCut(start, keepAll),
      operation: second,
      losses: (cut) => [keepAll, dropAll, randomLoss(cut)],
      judge: (after) =>
        judge(after, {
          before: start,
          running: 3,
          choices: [
            { order: [3, 1, 2] },
            { order: [3, 2] },
            { order: [1, 3, 2], trial: { block: 1, tries: 2 } },
          ],
          etc: idOf(0),
        }),
    });
    expect(problems).toEqual([]);
  });

  it('S3: a machine that arms before the arguments are durable is caught', async () => {
    const problems = await problemsOf((machine, world) => ({
      ...machine,
      bootLoader: overriding(world.boot, { writeDeployment: async () => {} }),
    }));
    expect(problems).toMatch(/S3: listed block 3 can not be read/);
  });

  it('S6: an /etc that is not synced before it is armed is caught', async () => {
    const problems = await problemsOf((machine, world) => ({
      ...machine,
      files: overriding(world.files, { syncAll: async () => {} }),
    }));
    expect(problems).toMatch(/S3: the \/etc of .* is not whole/);
  });

  it('S1: is refused on trial, after a rollback, and while an upgrade waits for its boot', async () => {
    const trial = await makeWorld({
      a: releases.v1,
      b: releases.v0,
      order: [1, 2],
      trial: { block: 1, tries: 1 },
    });
    await codeOfAsync(() => change(trial), 'STATE_ON_TRIAL');
    const left = await makeWorld({ a: releases.v1, b: releases.v0, order: [2] });
    await codeOfAsync(() => change(left), 'STATE_REBOOT_PENDING');
    const waiting = await makeWorld({
      a: releases.v1,
      b: releases.v0,
      order: [2, 1],
      trial: { block: 2, tries: 2 },
    });
    await codeOfAsync(() => change(waiting), 'STATE_ARMED');
    // What /run holds is a notice for whoever logs in.
    for (const world of [trial, left, waiting]) {
      expect(world.power.log.filter((line) => !line.includes(' /run'))).toEqual([]);
    }
  });

  it('S10: is refused without room for a copy of /etc', async () => {
    const world = await begin();
    world.files.free = 1000;
    await codeOfAsync(() => change(world), 'SPACE_DATA');
    expect(world.power.log).toEqual([]);
  });

  it('is refused where the block or GRUB could not take it, and writes nothing', async () => {
    const world = await begin();
    for (const word of ['a="b"', 'a=$b', 'a=*', `a=${'x'.repeat(2000)}`]) {
      await codeOfAsync(() => change(world, { append: [word] }), 'INPUT_KERNEL_ARGUMENTS');
    }
    expect(await change(world, { appendIfMissing: ['console=ttyS0'] })).toMatchObject({
      kind: 'unchanged',
    });
    expect(world.power.log).toEqual([]);
  });
});

describe('a change of kernel arguments that waits for a reboot', () => {
  const quiet = { hooks: standardHooks, note: () => {} };
  const rearmed: BootChoice = { order: [4, 1, 2], trial: { block: 4, tries: 2 } };
  const waiting = async () => {
    const world = await begin();
    await changeArguments(machineOf(world), { ...options(), reboot: false });
    return world;
  };
  const edit = async ({ files }: World) => {
    const path = `/data/etc/${deploymentA}/hostname`;
    await files.writeFile(path, Buffer.from('since\n'), 0o644);
    await files.sync(path);
  };
  const hostname = async ({ files }: World, id: string) =>
    String(await files.readFile(`/data/etc/${id}/hostname`, 100));

  it('S8: has what was edited under /etc until the machine goes down', async () => {
    const world = await waiting();
    await edit(world);
    expect(await hostname(world, idOf(0))).toBe('web1\n');
    const outcome = await finalizeStaged(machineOf(world), quiet);
    expect(outcome).toMatchObject({ kind: 'armed', deployment: idOf(1) });
    expect(await world.boot.readChoice()).toEqual(rearmed);
    expect(await world.boot.readDeployment(4)).toMatchObject({
      ...{ id: idOf(1), slot: 'a', kernelArguments: 'console=ttyS0 nosmt' },
    });
    expect(await hostname(world, idOf(1))).toBe('since\n');
    // And nothing more to do.
    expect(await finalizeStaged(machineOf(world), quiet)).toEqual({ kind: 'nothing' });
  });

  it('is left as it is when nothing was edited, or when its reboot was not left to somebody', async () => {
    const world = await waiting();
    expect(await finalizeStaged(machineOf(world), quiet)).toEqual({ kind: 'nothing' });
    expect(await world.boot.readChoice()).toEqual(armed);
    const rebooting = await begin();
    await change(rebooting);
    await edit(rebooting);
    expect(await finalizeStaged(machineOf(rebooting), quiet)).toEqual({ kind: 'nothing' });
  });

  it('is tried with what failed before it, and not with what fails when the machine goes down', async () => {
    const world = await begin();
    const fails = { check: () => ({ passed: false, detail: 'exit 1' }) };
    await changeArguments(machineOf(world, fails), { ...options(), reboot: false });
    await edit(world);
    await finalizeStaged(machineOf(world), quiet);
    const { baseline } = (await readSituation(machineOf(world))).state;
    expect(baseline).toEqual({ deployment: idOf(1), failing: ['web'] });
  });

  it('S1 S3 S7 S8: cut at every write when the machine goes down, is the one or the other, whole', async () => {
    const world = await waiting();
    await edit(world);
    const start = afterCut(world, keepAll);
    // /run is not gone: the machine has not been rebooted.
    const running = async () => {
      const again = afterCut(start, keepAll);
      const path = '/run/pine/arguments-etc';
      await again.files.makeFolder('/run/pine', 0o755);
      await again.files.writeFile(path, Buffer.from('another'), 0o644);
      return again;
    };
    const { problems, writes } = await cutEverywhere({
      begin: running,
      operation: (after) => finalizeStaged(machineOf(after), quiet),
      losses: (cut) => [keepAll, dropAll, randomLoss(cut)],
      judge: async (after) => {
        const choice = await after.boot.readChoice();
        const broken: string[] = [];
        if (![armed, rearmed].some((one) => JSON.stringify(one) === JSON.stringify(choice)))
          broken.push(`S3: the choice is ${JSON.stringify(choice)}`);
        const trial = await after.boot.readDeployment(choice?.trial?.block ?? 0);
        const wanted = choice?.trial?.block === 4 ? 'since\n' : 'web1\n';
        if ((await hostname(after, trial?.id ?? '')) !== wanted) broken.push('S8: another /etc');
        if (trial?.kernelArguments !== 'console=ttyS0 nosmt') broken.push('S3: other arguments');
        if (after.slots.b.written || after.slots.a.written) broken.push('S1: a slot was written');
        return broken;
      },
    });
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(15);
  });
});

describe('a change of kernel arguments while an upgrade is staged', () => {
  const alone: BootChoice = { order: [1] };
  const armedAlone: BootChoice = { order: [3, 1], trial: { block: 3, tries: 2 } };
  const quiet = { hooks: standardHooks, note: () => {} };
  let staged: World;
  beforeAll(async () => {
    const world = await begin();
    await upgrade(machineOf(world), { ...upgradeOptions(releases), reboot: false });
    staged = afterCut(world, keepAll);
  });
  const beginStaged = async () => afterCut(staged, keepAll);
  const stagedOn = async (machine: Machine) => readStaged(machine, await readSituation(machine));
  const upgraded = async (world: World) => {
    const choice = await world.boot.readChoice();
    return await world.boot.readDeployment(choice?.trial?.block ?? 0);
  };

  it('is tried first, and the upgrade takes it along at the reboot after', async () => {
    const world = await beginStaged();
    const notes: string[] = [];
    await changeArguments(machineOf(world), { ...options(), note: (text) => notes.push(text) });
    expect(notes).toEqual([expect.stringMatching(/^an upgrade is staged: it waits/)]);
    expect(await world.boot.readChoice()).toEqual(armedAlone);
    // The reboot into the change does not arm the upgrade.
    expect(await finalizeStaged(machineOf(world), quiet)).toMatchObject({ kind: 'kept' });
    expect(await world.boot.readChoice()).toEqual(armedAlone);
    const onTrial = machineOf(world, inBlock(3, 0, 'trial'));
    expect(await finalizeStaged(onTrial, quiet)).toMatchObject({ kind: 'kept' });
    expect(await confirm(world, 3, 0)).toMatchObject({ kind: 'confirmed' });

    const machine = machineOf(world, inBlock(3, 0, 'order'));
    expect(await stagedOn(machine)).toBeDefined();
    await world.files.writeFile(`${machine.etc}/hostname`, Buffer.from('since\n'), 0o644);
    const outcome = await finalizeStaged(machine, quiet);
    expect(outcome).toMatchObject({ kind: 'armed' });
    expect(await upgraded(world)).toMatchObject({
      slot: 'b',
      kernelArguments: 'console=ttyS0 nosmt',
    });
    const { id = '' } = (await upgraded(world)) ?? {};
    expect(String(await world.files.readFile(`/data/etc/${id}/hostname`, 100))).toBe('since\n');
    expect((await world.boot.readChoice())?.order.slice(1)).toEqual([3, 1]);
  });

  it('that fails costs the upgrade nothing: it is armed with the old arguments', async () => {
    const world = await beginStaged();
    await change(world);
    await world.boot.writeChoice({ order: [3, 1], trial: { block: 3, tries: 0 } });
    const outcome = await bootComplete(machineOf(world), bootSettings);
    expect(outcome).toMatchObject({ kind: 'fell-back', held: false });
    expect(await finalizeStaged(machineOf(world), quiet)).toMatchObject({ kind: 'armed' });
    expect(await upgraded(world)).toMatchObject({ slot: 'b', kernelArguments: 'console=ttyS0' });
  });

  it('S1 S3 S7: cut at every write, leaves the upgrade staged and ends the same', async () => {
    const whole = await beginStaged();
    await change(whole);
    const expected = await describeWorld(whole);
    const { problems } = await cutEverywhere({
      begin: beginStaged,
      operation: change,
      losses: (cut) => [keepAll, dropAll, randomLoss(cut)],
      judge: async (after) => {
        const choices = [alone, armedAlone];
        const expectation = { before: staged, running: 1, choices, etc: deploymentA };
        const broken = await judge(after, expectation);
        if (after.slots.b.written) broken.push('a slot was written');
        if ((await stagedOn(machineOf(after))) === undefined) broken.push('S7: not staged');
        const done = (await after.boot.readChoice())?.trial !== undefined;
        if (!done) await change(after);
        if (!done && (await describeWorld(after)) !== expected) broken.push('S7: ends differently');
        return broken;
      },
    });
    expect(problems).toEqual([]);
  });

  it('keeps `upgrade` waiting, and is given up before the upgrade is', async () => {
    const world = await beginStaged();
    await change(world);
    await codeOfAsync(() => upgrade(machineOf(world), upgradeOptions(releases)), 'STATE_ARMED');
    const asked = { reboot: true, hooks: standardHooks, note: () => {} };
    expect(await rollback(machineOf(world), asked)).toMatchObject({ kind: 'given-up' });
    expect(await world.boot.readChoice()).toEqual(alone);
    expect(await stagedOn(machineOf(world))).toBeDefined();
  });
});

describe('the life of changed arguments', () => {
  it('a second change before the reboot adds to the first, in one write', async () => {
    const world = await begin();
    await change(world);
    const outcome = await change(world, { append: ['quiet'] });
    expect(outcome).toMatchObject({ arguments: 'console=ttyS0 nosmt quiet' });
    expect(await world.boot.readChoice()).toEqual({
      order: [4, 1, 2],
      trial: { block: 4, tries: 2 },
    });
    const machine = machineOf(world);
    expect(nextArguments(machine, await readSituation(machine))).toEqual({
      deployment: idOf(1),
      arguments: 'console=ttyS0 nosmt quiet',
      armed: true,
    });
  });

  it('goes on through ever more changes, each confirmed', async () => {
    const world = await begin();
    let settings: MachineSettings = {};
    for (let serial = 0; serial < 6; serial += 1) {
      await change(world, { append: [`a${serial}`] }, machineOf(world, settings));
      const block = (await world.boot.readChoice())?.trial?.block ?? 0;
      await confirm(world, block, serial);
      settings = inBlock(block, serial, 'order');
      expect((await world.boot.readChoice())?.order).toContain(2);
    }
    const last = await world.boot.readDeployment(settings.running?.block ?? 0);
    expect(last?.kernelArguments).toBe('console=ttyS0 a0 a1 a2 a3 a4 a5');
  });

  it('an upgrade keeps them', async () => {
    const world = await begin();
    await change(world);
    await confirm(world, 3, 0);
    await upgrade(machineOf(world, inBlock(3, 0, 'order')), upgradeOptions(releases));
    const choice = await world.boot.readChoice();
    expect(choice?.order.slice(1)).toEqual([3, 1]);
    const next = await world.boot.readDeployment(choice?.trial?.block ?? 0);
    expect(next).toMatchObject({ slot: 'b', kernelArguments: 'console=ttyS0 nosmt' });
  });

  it('an upgrade is refused while a change waits for its boot, which would be lost', async () => {
    const world = await begin();
    await change(world);
    await codeOfAsync(() => upgrade(machineOf(world), upgradeOptions(releases)), 'STATE_ARMED');
    expect(await world.boot.readChoice()).toEqual(armed);
  });

  it('one that fails falls back to the unchanged, the commit is not held, and its block is emptied', async () => {
    const world = await begin();
    await change(world);
    const { order } = armed;
    await world.boot.writeChoice({ order, trial: { block: 3, tries: 0 } });
    const outcome = await bootComplete(machineOf(world), bootSettings);
    expect(outcome).toMatchObject({ kind: 'fell-back', held: false });
    expect(await world.boot.readChoice()).toEqual(old);
    expect((await readSituation(machineOf(world))).state.held).toEqual([]);
    // An emergency boot would take the first block of a slot.
    expect(await world.boot.readDeployment(3)).toBeUndefined();
    expect(await upgrade(machineOf(world), upgradeOptions(releases))).toMatchObject({
      kind: 'armed',
    });
  });

  it('S4: empties blocks that were left by a cut, once, and no block of the other slot', async () => {
    const world = await begin();
    await change(world);
    await world.boot.writeChoice({ order: [1] });
    await bootComplete(machineOf(world), bootSettings);
    expect(await world.boot.readDeployment(3)).toBeUndefined();
    expect(await world.boot.readDeployment(2)).toBeDefined();
    const next = afterCut(world, keepAll);
    await bootComplete(machineOf(next), bootSettings);
    expect(next.boot.disk.written).toBe(false);
  });

  it('rollback gives it up before its boot, and leaves it after, without a hold', async () => {
    const world = await begin();
    await change(world);
    const asked = { reboot: true, hooks: standardHooks, note: () => {} };
    expect(await rollback(machineOf(world), asked)).toMatchObject({
      kind: 'given-up',
      held: false,
    });
    expect(await world.boot.readChoice()).toEqual(old);
    await change(world);
    const block = (await world.boot.readChoice())?.trial?.block ?? 0;
    await confirm(world, block, 1);
    const outcome = await rollback(machineOf(world, inBlock(block, 1, 'order')), asked);
    expect(outcome).toMatchObject({ kind: 'left', to: { id: deploymentA }, held: false });
    expect(await world.boot.readChoice()).toEqual(old);
  });

  it('what failed before can not fail the trial', async () => {
    const world = await begin();
    const failing = { check: () => ({ passed: false, detail: 'exit 1' }) };
    await change(world, undefined, machineOf(world, failing));
    const machine = machineOf(world, { ...failing, ...inBlock(3, 0, 'trial') });
    expect(await bootComplete(machine, bootSettings)).toMatchObject({ kind: 'confirmed' });
  });
});
