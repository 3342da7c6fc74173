import { describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import type { Machine } from '../../src/deploy/machine.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { change, changesOf } from './world/change-arguments.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { settledMachine } from './world/settled.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from './world/world.ts';

const { releases, base: before, fresh } = await settledMachine();
const begin = async () => fresh();
const { idOf, inBlock, confirm } = changesOf(releases);

const old: BootChoice = { order: [1, 2] };
const armed: BootChoice = { order: [3, 1, 2], trial: { block: 3, tries: 2 } };

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
