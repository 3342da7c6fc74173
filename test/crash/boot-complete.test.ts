import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import type { Machine } from '../../src/deploy/machine.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { parseState } from '../../src/deploy/state.ts';
import { writeState } from '../../src/deploy/state-files.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { judge } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { PowerCut } from './world/power.ts';
import { makeReleases, type Releases } from './world/releases.ts';
import {
  afterCut,
  deploymentA,
  deploymentB,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from './world/world.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
const losses = (cut: number) => [keepAll, dropAll, randomLoss(cut), randomLoss(cut + 500)];
const runningB: MachineSettings = {
  running: { deployment: deploymentB, slot: 'b', block: 2, choice: 'trial' },
};
const unhealthy = { check: () => ({ passed: false, detail: 'exit 3: gone' }) };

/** Slot b is on trial, slot a confirmed. */
async function onTrial(tries: number): Promise<World> {
  const { v1, v2 } = releases;
  const world = await makeWorld({ a: v1, b: v2, order: [2, 1], trial: { block: 2, tries } });
  await world.files.makeFolder('/data/pine/attempts', 0o755);
  const log = Buffer.from('1 initramfs\n2 handed-over\n');
  await world.files.writeFile(`/data/pine/attempts/${deploymentB}.log`, log, 0o644);
  const commit = v2.checksum;
  const armed = { time: 1, kind: 'armed', deployment: deploymentB, slot: 'b', commit } as const;
  const history = [{ ...armed, version: '2', reason: '' }];
  await writeState(machineOf(world), { history, held: [] });
  world.files.settleAll();
  return afterCut(world, keepAll);
}

async function stateOf({ files }: World) {
  const bytes = await files.readFile('/data/pine/state.json', 1e6);
  return bytes && parseState(bytes);
}

const end = async (world: World) =>
  [JSON.stringify(await world.boot.readChoice()), ...world.files.describe('/data')].join('\n');

interface Row {
  readonly what: string;
  readonly begin: () => Promise<World>;
  readonly operation: (world: World) => Promise<unknown>;
  readonly running: number;
  readonly etc: string;
  readonly choices: readonly BootChoice[];
  /** What must hold when the last of the choices is there. */
  readonly record?: (world: World) => Promise<boolean>;
}

const trialOf = (tries: number): BootChoice => ({ order: [2, 1], trial: { block: 2, tries } });
const holdsB = async (world: World) =>
  (await stateOf(world))?.held.some(({ commit }) => commit === releases.v2.checksum) ?? false;

const rows: readonly Row[] = [
  {
    what: 'boot-complete that confirms a trial',
    begin: () => onTrial(1),
    operation: (world) => bootComplete(machineOf(world, runningB), settings),
    running: 1,
    etc: deploymentA,
    choices: [trialOf(1), { order: [2, 1] }],
  },
  {
    what: 'boot-complete after a trial that failed',
    begin: () => onTrial(0),
    operation: (world) => bootComplete(machineOf(world), settings),
    running: 1,
    etc: deploymentA,
    choices: [trialOf(0), { order: [1] }],
    record: holdsB,
  },
  {
    what: 'boot-complete of a trial that fails its health checks',
    begin: () => onTrial(1),
    operation: (world) => bootComplete(machineOf(world, { ...runningB, ...unhealthy }), settings),
    running: 1,
    etc: deploymentA,
    choices: [trialOf(1)],
  },
  {
    what: 'rollback during a trial',
    begin: () => onTrial(1),
    operation: (world) =>
      rollback(machineOf(world, runningB), { reboot: true, hooks: standardHooks, note: () => {} }),
    running: 1,
    etc: deploymentA,
    choices: [trialOf(1), { order: [1] }],
    record: holdsB,
  },
];

describe('cut at every write', () => {
  it.each(rows)('S1 S2 S3 S7: $what', async (row) => {
    const before = await row.begin();
    const whole = afterCut(before, keepAll);
    await row.operation(whole);
    // What boots next sees to what is left.
    const next = row.what.includes('confirms') ? confirmedB : {};
    await bootComplete(machineOf(whole, next), settings);
    // An attempt that was cut is an attempt all the same: it stays in the log.
    const withoutLog = async (world: World) =>
      (await end(world)).replace(/^.*attempts.*$\n?/gm, '');
    const expected = await withoutLog(whole);
    const { writes, states, problems } = await cutEverywhere({
      begin: async () => afterCut(before, keepAll),
      operation: row.operation,
      losses,
      judge: async (after) => {
        const broken = await judge(after, { ...row, before });
        const done =
          JSON.stringify(await after.boot.readChoice()) === JSON.stringify(row.choices[1]);
        if (done && row.record && !(await row.record(after))) broken.push('S6: no record of why');
        // What boots next does not tell of the cut; the same is simply run again if it did not end.
        if (!done) await row.operation(after);
        await bootComplete(machineOf(after, next), settings);
        const found = await withoutLog(after);
        return found === expected ? broken : [...broken, 'S7: run again, it ends differently'];
      },
    });
    console.info(`${row.what}: ${writes} writes, ${states} states judged`);
    expect(problems).toEqual([]);
  });
});

const confirmedB: MachineSettings = { running: { ...runningB.running, choice: 'order' } };

describe('mutations that the judge catches', () => {
  it('S6: a hold whose sync is dropped before the trial leaves the order', async () => {
    const before = await onTrial(0);
    const { problems } = await cutEverywhere({
      begin: async () => afterCut(before, keepAll),
      operation: (world) => {
        const files = overriding(world.files, { sync: async () => {} });
        return bootComplete({ ...machineOf(world), files }, settings);
      },
      losses: () => [dropAll],
      judge: async (after) => {
        const dropped = (await after.boot.readChoice())?.trial === undefined;
        return dropped && !(await holdsB(after)) ? ['S6: no record of why'] : [];
      },
    });
    expect(problems.join()).toContain('S6');
  });

  it('S1: a confirmation that also takes the last good deployment out', async () => {
    const before = await onTrial(1);
    const world = afterCut(before, keepAll);
    const bootLoader = overriding(world.boot, {
      writeChoice: () => world.boot.writeChoice({ order: [2] }),
    });
    await bootComplete({ ...machineOf(world, runningB), bootLoader }, settings);
    const choices = [trialOf(1), { order: [2, 1] }];
    const broken = await judge(world, { before, running: 1, choices, etc: deploymentA });
    expect(broken.join()).toMatch(/S3: the choice is.*S1: block 1 can not be booted/);
  });
});

/** Ten power cycles, each ending at a random moment of boot-complete or after it. */
async function cyclePower(
  world: World,
  boot: (machine: Machine) => Promise<unknown>,
): Promise<World> {
  let present = world;
  for (let cycle = 1; cycle <= 10; cycle += 1) {
    await boot(machineOf(present));
    present = afterCut(present, randomLoss(cycle));
  }
  return present;
}

describe('S4: power cycles of a healthy machine', () => {
  const healthy = () => makeWorld({ a: releases.v1, b: releases.v2, order: [1, 2] });

  it('write nothing where GRUB reads', async () => {
    const world = await healthy();
    const before = Buffer.from(world.boot.disk.medium);
    let written = false;
    const after = await cyclePower(world, async (machine) => {
      expect(await bootComplete(machine, settings)).toEqual({ kind: 'ordinary' });
      written ||= world.boot.disk.written;
    });
    expect(written || after.boot.disk.written).toBe(false);
    expect(after.boot.disk.medium.equals(before)).toBe(true);
  });

  it('a boot-complete that writes the same choice again is caught', async () => {
    const world = await healthy();
    await bootComplete(machineOf(world), settings);
    await world.boot.writeChoice({ order: [1, 2] });
    expect(world.boot.disk.written).toBe(true);
  });
});

describe('S4: a power cut during a trial', () => {
  /** What grub.cfg does with a choice (docs/boot-choice.md): which block starts, and what it saves. */
  async function bootLoader(world: World): Promise<{ block: number | undefined }> {
    const choice = await world.boot.readChoice();
    const { order = [], trial } = choice ?? {};
    const tries = trial?.tries ?? 0;
    const block = order.find((number) => number !== trial?.block || tries > 0);
    if (trial !== undefined && block === trial.block) {
      await world.boot.writeChoice({ order, trial: { block, tries: tries - 1 } });
    }
    return { block };
  }

  type Complete = (machine: Machine) => Promise<unknown>;
  const complete: Complete = (machine) => bootComplete(machine, settings);

  /** Boots until the machine is at rest; the power goes once, at `cut`. Returns which blocks were started. */
  async function bootsWithCut(tries: number, cut: number, operation: Complete) {
    let world = await onTrial(tries);
    const started: (number | undefined)[] = [];
    for (let boot = 1; boot <= 4; boot += 1) {
      const { block } = await bootLoader(world);
      started.push(block);
      if (boot === 1) world.power.cutAt(world.power.writes + cut);
      const machine = machineOf(world, block === 2 ? runningB : {});
      const ended = await operation(machine).then(
        () => true,
        (error) => {
          if (!(error instanceof PowerCut)) throw error;
          return false;
        },
      );
      world = afterCut(world, ended ? keepAll : randomLoss(cut));
      if (ended) break;
    }
    return { started, choice: await world.boot.readChoice(), world };
  }

  /** Writes that boot-complete makes when nothing cuts it. */
  async function writesOf(operation: Complete): Promise<number> {
    const world = await onTrial(1);
    const before = world.power.writes;
    await operation(machineOf(world, runningB));
    return world.power.writes - before;
  }

  async function problems(operation: Complete): Promise<string[]> {
    const writes = await writesOf(operation);
    const found: string[] = [];
    for (let cut = 1; cut <= writes; cut += 1) {
      // Two tries: one is lost with the power, the other one is enough.
      const { started, choice } = await bootsWithCut(2, cut, operation);
      if (started.join() !== '2,2') found.push(`cut ${cut}: blocks ${started} were started`);
      if (JSON.stringify(choice) !== '{"order":[2,1]}') {
        found.push(`cut ${cut}: it ends with ${JSON.stringify(choice)}`);
      }
    }
    return found;
  }

  it('costs one try, not two, wherever it comes', async () => {
    expect(await writesOf(complete)).toBeGreaterThan(10);
    expect(await problems(complete)).toEqual([]);
  });

  it('with one try left ends the trial, and the other system runs', async () => {
    const { started, choice, world } = await bootsWithCut(1, 1, complete);
    expect(started).toEqual([2, 1]);
    expect(choice).toEqual({ order: [1] });
    expect(await holdsB(world)).toBe(true);
  });

  it('a boot-complete that takes a try as well is caught', async () => {
    const greedy: Complete = async (machine) => {
      const choice = await machine.bootLoader.readChoice();
      if (choice?.trial !== undefined && choice.trial.tries > 0) {
        const { block, tries } = choice.trial;
        await machine.bootLoader.writeChoice({ ...choice, trial: { block, tries: tries - 1 } });
      }
      return bootComplete(machine, settings);
    };
    expect((await problems(greedy)).join('\n')).toMatch(/blocks 2,1 were started/);
  });
});

describe('S11: a trial without its data partition', () => {
  const degraded: MachineSettings = {
    ...unhealthy,
    running: { ...runningB.running, data: 'degraded', dataDetail: 'no superblock' },
  };

  it('is neither confirmed nor failed, and gets its try back, once per boot', async () => {
    const world = await onTrial(1);
    let reboots = 0;
    const machine = machineOf(world, { ...degraded, onReboot: () => (reboots += 1) });
    expect(await bootComplete(machine, settings)).toEqual({ kind: 'postponed' });
    expect(await world.boot.readChoice()).toEqual(trialOf(2));
    expect(await bootComplete(machine, settings)).toEqual({ kind: 'postponed' });
    expect(await world.boot.readChoice()).toEqual(trialOf(2));
    expect(await world.files.status('/run/pine/confirmed')).toBeDefined(); // the deadline process rests
    expect(reboots).toBe(0);
  });

  it('does not judge a trial that fell back while the reason can not be kept', async () => {
    const world = await onTrial(0);
    const machine = machineOf(world, { running: { data: 'degraded' } });
    expect(await bootComplete(machine, settings)).toEqual({ kind: 'ordinary' });
    expect(world.boot.disk.written).toBe(false);
  });

  it('a machine that takes the data for sound is caught: it spends the try and reboots', async () => {
    const world = await onTrial(1);
    let reboots = 0;
    const running = { ...degraded.running, data: 'ok' } as const;
    const machine = machineOf(world, { ...degraded, running, onReboot: () => (reboots += 1) });
    expect(await bootComplete(machine, settings)).toMatchObject({ kind: 'failed' });
    expect(await world.boot.readChoice()).toEqual(trialOf(1));
    expect(reboots).toBe(1);
  });
});
