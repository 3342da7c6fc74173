import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import { changeArguments } from '../../src/deploy/kernel-arguments/change.ts';
import type { Machine } from '../../src/deploy/machine.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { finalizeStaged } from '../../src/deploy/staging/finalize.ts';
import { readStaged } from '../../src/deploy/staging/staged-file.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { bootSettings, change, changeOptions, changesOf } from './world/change-arguments.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { upgradeOptions } from './world/releases.ts';
import { settledMachine } from './world/settled.ts';
import { afterCut, deploymentA, machineOf, type World } from './world/world.ts';

const { releases, fresh } = await settledMachine();
const begin = async () => fresh();
const { idOf, inBlock, confirm } = changesOf(releases);

const armed: BootChoice = { order: [3, 1, 2], trial: { block: 3, tries: 2 } };

const describeWorld = async ({ boot, files }: World) =>
  [boot.disk.medium.toString('base64'), ...files.describe('/data')].join('\n');

describe('a change of kernel arguments that waits for a reboot', () => {
  const quiet = { hooks: standardHooks, note: () => {} };
  const rearmed: BootChoice = { order: [4, 1, 2], trial: { block: 4, tries: 2 } };
  const waiting = async () => {
    const world = await begin();
    await changeArguments(machineOf(world), { ...changeOptions(), reboot: false });
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
    await changeArguments(machineOf(world, fails), { ...changeOptions(), reboot: false });
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
    await changeArguments(machineOf(world), {
      ...changeOptions(),
      note: (text) => notes.push(text),
    });
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
