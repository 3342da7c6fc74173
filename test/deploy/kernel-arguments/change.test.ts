import { describe, expect, it } from 'vitest';
import type { BootChoice } from '../../../src/boot/choice.ts';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import { nextArguments } from '../../../src/deploy/kernel-arguments/change.ts';
import { rollback } from '../../../src/deploy/rollback.ts';
import { readSituation } from '../../../src/deploy/situation.ts';
import { upgrade } from '../../../src/deploy/upgrade.ts';
import { bootSettings, change, changesOf } from '../../crash/world/change-arguments.ts';
import { keepAll } from '../../crash/world/loss.ts';
import { upgradeOptions } from '../../crash/world/releases.ts';
import { settledMachine } from '../../crash/world/settled.ts';
import { afterCut, deploymentA, type MachineSettings, machineOf } from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';

const { releases, fresh } = await settledMachine();
const begin = async () => fresh();
const { idOf, inBlock, confirm } = changesOf(releases);

const old: BootChoice = { order: [1, 2] };
const armed: BootChoice = { order: [3, 1, 2], trial: { block: 3, tries: 2 } };

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
