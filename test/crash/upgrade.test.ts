import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import type { Machine } from '../../src/deploy/machine.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { prepare } from '../../src/deploy/upgrade/prepare.ts';
import { armingSteps, runSteps, stagingSteps } from '../../src/deploy/upgrade/steps.ts';
import { survey } from '../../src/deploy/upgrade/survey.ts';
import type { Step, Work } from '../../src/deploy/upgrade/work.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { PowerCut } from './world/power.ts';
import { makeReleases, type Releases, upgradeOptions } from './world/releases.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from './world/world.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
  before = await makeWorld({ a: releases.v1, b: releases.v0, order: [1, 2] });
});

/** Both slots hold confirmed deployments; slot a runs. */
let before: World;
const begin = async () => afterCut(before, keepAll);
const old: BootChoice = { order: [1, 2] };
const unlisted: BootChoice = { order: [1] };
const armed: BootChoice = { order: [2, 1], trial: { block: 2, tries: 2 } };

const options = () => upgradeOptions(releases);
const upgradeA = (world: World) => upgrade(machineOf(world), options());

const writingSteps: readonly Step[] = [...stagingSteps, ...armingSteps];

/** The writing part alone, with steps or a machine that a mutation has changed. */
async function upgradeWith(
  world: World,
  { steps = writingSteps, machine = machineOf(world), change = (work: Work) => work } = {},
): Promise<void> {
  const situation = await readSituation(machine);
  const found = await survey(machine, situation, options());
  if (found.kind === 'new') {
    await runSteps(steps, change(await prepare(machine, situation, found, options())));
  }
}

async function judgeUpgrade(after: World): Promise<string[]> {
  return judge(after, { before, running: 1, choices: [old, unlisted, armed], etc: deploymentA });
}

/** All that is left of an upgrade, as one text, but for how many bytes came: a run that was cut had others. */
async function describeWorld({ slots, boot, files }: World): Promise<string> {
  return [
    JSON.stringify(await boot.readChoice()),
    boot.disk.medium.toString('base64'),
    createHash('sha256').update(slots.b.medium).digest('hex'),
    ...files.describe('/data').filter((line) => !line.includes('/pine/origins/')),
  ].join('\n');
}

const losses = (cut: number) => [keepAll, dropAll, randomLoss(cut)];

describe('an upgrade that is cut at every write', () => {
  it('S1 S2 S3 S7: leaves a machine that boots what it booted, and ends the same when run again', async () => {
    const whole = await begin();
    await upgradeA(whole);
    const expected = await describeWorld(whole);
    const { writes, states, problems } = await cutEverywhere({
      begin,
      operation: upgradeA,
      losses,
      judge: async (after) => {
        const broken = await judgeUpgrade(after);
        await upgradeA(after);
        const end = await describeWorld(after);
        return end === expected ? broken : [...broken, 'S7: run again, it ends differently'];
      },
    });
    console.info(`upgrade: ${writes} writes, ${states} states judged`);
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(60);
  });

  it('S7: ends the same when it is cut three times on its way', async () => {
    const whole = await begin();
    await upgradeA(whole);
    const expected = await describeWorld(whole);
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = randomLoss(seed);
      let world = await begin();
      for (let cut = 1; cut <= 3; cut += 1) {
        world.power.cutAt(1 + random.upTo(whole.power.writes));
        await upgradeA(world).catch(ignorePowerCut);
        world = afterCut(world, randomLoss(seed * 10 + cut));
        expect(await judgeUpgrade(world)).toEqual([]);
      }
      await upgradeA(world);
      expect(await describeWorld(world)).toBe(expected);
    }
  });

  it('S7: goes on where it was cut instead of starting over', async () => {
    const world = await begin();
    const at = (await logOf(upgradeA)).findIndex((line) => /^b: \d+ at 1048576$/.test(line));
    world.power.cutAt(at + 1);
    await expect(upgradeA(world)).rejects.toThrow('power cut');
    const after = afterCut(world, dropAll);
    const outcome = await upgradeA(after);
    expect(outcome.resumedAt).toBeGreaterThan(0);
    expect(await judgeUpgrade(after)).toEqual([]);
  });
});

async function logOf(operation: (world: World) => Promise<unknown>): Promise<readonly string[]> {
  const world = await begin();
  await operation(world);
  return world.power.log;
}

/** What the judge says of an upgrade with a mutation, cut at every write and at its end, up to the first `wanted`. */
async function problemsOf(
  wanted: RegExp,
  mutated: (world: World) => Promise<void>,
): Promise<string> {
  const { problems } = await cutEverywhere({
    begin,
    operation: mutated,
    losses: () => [keepAll, dropAll],
    judge: judgeUpgrade,
    until: wanted,
  });
  const whole = await begin();
  await mutated(whole);
  return [...problems, ...(await judgeUpgrade(afterCut(whole, dropAll)))].join('\n');
}

/** Sees that the judge catches a mutation, in the words of `wanted`. */
async function expectCaught(wanted: RegExp, mutated: (world: World) => Promise<void>) {
  expect(await problemsOf(wanted, mutated)).toMatch(wanted);
}

describe('the judge, proved by mutations of an upgrade', () => {
  it('finds nothing wrong at the end of the steps as they are', async () => {
    const world = await begin();
    await upgradeWith(world);
    expect(await judgeUpgrade(afterCut(world, dropAll))).toEqual([]);
    expect(await world.boot.readChoice()).toEqual(armed);
  });

  it('S1: catches a machine that writes the running slot', () =>
    expectCaught(/S1: running slot a was written/, (world) =>
      upgradeWith(world, {
        change: (work) => ({ ...work, target: { ...work.target, opener: world.slots.a } }),
      }),
    ));

  it('S2: catches a slot that is written while it is listed', () =>
    expectCaught(/S2: block 2/, (world) =>
      upgradeWith(world, { steps: without('unlist the slot') }).catch(ignoreRefusal),
    ));

  it('S2: catches a missing read-back', () =>
    expectCaught(/S2: block 2/, (world) =>
      upgradeWith(withBadMedium(world), { steps: without('read back') }),
    ));

  it('S2: catches a read-back that comes from the page cache', () =>
    expectCaught(/S2: block 2/, (world) => {
      const b = overriding(withBadMedium(world).slots.b, { dropCache: async () => {} });
      return upgradeWith(world, { machine: withSlot(world, b) });
    }));

  it('S2: catches a read-back while a descriptor is still open', () =>
    expectCaught(/S2: block 2/, async (world) => {
      const open = await withBadMedium(world).slots.b.open('read');
      await upgradeWith(world);
      await open.close();
    }));

  it('S2: the real steps refuse a medium that lies, and leave the slot unbootable', async () => {
    const world = withBadMedium(await begin());
    await expect(upgradeWith(world)).rejects.toMatchObject({ code: 'CORRUPT_IMAGE' });
    expect(await world.boot.readChoice()).toEqual(unlisted);
  });

  it('S3: catches arming before /etc is there', () =>
    expectCaught(/S3: the \/etc of .* is not whole/, (world) =>
      upgradeWith(world, { steps: moved('merge /etc', 'arm', without('merge /etc again')) }),
    ));

  it('S3: catches arming before the arguments are there', () =>
    expectCaught(/S2: block 2, slot b: it holds/, (world) =>
      upgradeWith(world, { steps: moved('arm', 'write the arguments') }).catch(ignoreRefusal),
    ));

  it('S3: catches a choice that takes two writes', () =>
    expectCaught(/S3: the choice is torn/, (world) =>
      upgradeWith(world, { machine: { ...machineOf(world), bootLoader: inTwoWrites(world) } }),
    ));

  it('S6: catches a slot that is not flushed', () =>
    expectCaught(/S2: block 2/, (world) => {
      const { b } = world.slots;
      const lazy = overriding(b, {
        open: async (mode) => ({ ...(await b.open(mode)), flush: async () => {} }),
        dropCache: async () => {},
      });
      return upgradeWith(world, { machine: withSlot(world, lazy) });
    }));

  it('S6: catches an /etc whose contents are not synced', () =>
    expectCaught(/S3: the \/etc of .* is not whole/, (world) =>
      upgradeWith(world, { machine: withFiles(world, { syncAll: async () => {} }) }),
    ));

  it('S6: catches an /etc whose folder is not synced', () =>
    expectCaught(/S3: the \/etc of .* is not whole/, (world) =>
      upgradeWith(world, {
        machine: withFiles(world, { sync: async () => {} }),
        // A second merge of the same would hide that the first one is not durable.
        steps: without('merge /etc again'),
      }),
    ));

  it('S7: catches a run that forgets what it wrote before it is staged', async () => {
    const mutated = (world: World) =>
      upgradeWith(world, { steps: moved('forget the write', 'merge /etc') });
    const whole = await begin();
    await mutated(whole);
    const expected = await describeWorld(whole);
    const { problems } = await cutEverywhere({
      begin,
      operation: mutated,
      losses: () => [keepAll],
      until: /S7/,
      judge: async (after) => {
        await mutated(after);
        return (await describeWorld(after)) === expected ? [] : ['S7: ends differently'];
      },
    });
    expect(problems.join('\n')).toContain('S7');
  });

  it('S10: catches a space check that believes anything', async () => {
    const honest = await begin();
    honest.files.free = 1000;
    await expect(upgradeA(honest)).rejects.toMatchObject({ code: 'SPACE_DATA' });
    expect(honest.power.log).toEqual([]);
    const mutated = await begin();
    const machine = withFiles(mutated, { freeBytes: async () => 2 ** 40 });
    mutated.files.free = 1000;
    await upgradeWith(mutated, { machine });
    expect(mutated.power.log).not.toEqual([]);
  });
});

const without = (name: string) => writingSteps.filter((step) => step.name !== name);

/** The steps with `name` moved: before `other` if it came later, else behind it. */
function moved(name: string, other: string, steps = writingSteps): readonly Step[] {
  const place = (wanted: string) => steps.findIndex((step) => step.name === wanted);
  const step = steps[place(name)];
  if (step === undefined || place(other) < 0) throw new Error('no such step');
  const rest = steps.filter((entry) => entry !== step);
  const at = rest.findIndex((entry) => entry.name === other);
  return rest.toSpliced(place(name) < place(other) ? at + 1 : at, 0, step);
}

function withSlot(world: World, b: Machine['slots']['b']): Machine {
  const machine = machineOf(world);
  return { ...machine, slots: { ...machine.slots, b } };
}

function withFiles(world: World, changes: Partial<World['files']>): Machine {
  return { ...machineOf(world), files: overriding(world.files, changes) };
}

/** A medium that loses one bit of what it acknowledged. */
function withBadMedium(world: World): World {
  const { b } = world.slots;
  Object.assign(b, {
    toMedium(position: number, bytes: Buffer) {
      b.medium.set(bytes, position);
      if (position === 0) b.medium.writeUInt8(b.medium.readUInt8(777) ^ 1, 777);
    },
  });
  return world;
}

function ignorePowerCut(error: unknown): void {
  if (!(error instanceof PowerCut)) throw error;
}

/** A mutated run may end in a refusal of the code that is not mutated: the judge sees its cuts all the same. */
function ignoreRefusal(error: unknown): void {
  if (error instanceof PowerCut) throw error;
}

function inTwoWrites(world: World): World['boot'] {
  const { boot } = world;
  return overriding(boot, {
    async writeChoice(choice) {
      const device = await boot.disk.open('write');
      await device.write(0, Buffer.alloc(512, '#'));
      await device.flush();
      await device.close();
      await boot.writeChoice(choice);
    },
  });
}
