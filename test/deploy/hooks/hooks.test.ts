import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import { tellOutcome } from '../../../src/deploy/hooks/tell-outcome.ts';
import type { Machine, ProgramOptions, Running } from '../../../src/deploy/machine.ts';
import { rollback } from '../../../src/deploy/rollback.ts';
import { finalizeStaged } from '../../../src/deploy/staging/finalize.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { previewUpgrade, upgrade } from '../../../src/deploy/upgrade.ts';
import { dropAll, keepAll } from '../../crash/world/loss.ts';
import { overriding } from '../../crash/world/overriding.ts';
import { PowerCut } from '../../crash/world/power.ts';
import { makeReleases, type Releases, upgradeOptions } from '../../crash/world/releases.ts';
import {
  afterCut,
  deploymentA,
  deploymentB,
  machineOf,
  makeWorld,
  type World,
} from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

/** What hooks were told, in order, and which of them fail. */
let told: { readonly path: string; readonly options: ProgramOptions | undefined }[] = [];
let failing: readonly string[] = [];
const notes: string[] = [];
beforeEach(() => {
  told = [];
  failing = [];
  notes.length = 0;
});

const note = (text: string) => void notes.push(text);
const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note };
const paths = () => told.map(({ path }) => path.replace(/^.*hooks\.d\//, ''));
const events = ['before-staging', 'before-arming', 'after-confirmation', 'after-rollback'];

/** A machine with one hook for each event in the /etc of both deployments. */
async function withHooks(order: readonly number[], tries?: number): Promise<World> {
  const { v1, v2, v0 } = releases;
  const trial = tries === undefined ? {} : { trial: { block: 2, tries } };
  const b = tries === undefined ? v0 : v2;
  const world = await makeWorld({ a: v1, b, order, ...trial });
  for (const id of [deploymentA, deploymentB]) {
    for (const event of events) {
      const folder = `/data/etc/${id}/pine/hooks.d/${event}`;
      await world.files.makeFolder(folder, 0o755);
      await world.files.writeFile(`${folder}/50-db`, Buffer.from('#!/bin/sh\n'), 0o755);
    }
  }
  world.files.settleAll();
  return afterCut(world, keepAll);
}

function machine(world: World, running: Partial<Running> = {}): Machine {
  const base = machineOf(world, { running });
  const effects = overriding(base.effects, {
    async runProgram(path, _seconds, options) {
      if (!path.includes('/hooks.d/')) return { passed: true, detail: 'exit 0' };
      world.power.alive();
      told.push({ path, options });
      const failed = failing.some((name) => path.includes(name));
      return { passed: !failed, detail: failed ? 'exit 1: busy' : 'exit 0' };
    },
  });
  return { ...base, effects };
}

const inB: Partial<Running> = { deployment: deploymentB, slot: 'b', block: 2, choice: 'trial' };

describe('hooks at a shutdown', () => {
  const finalize = (world: World, timeout: number, takes: readonly number[]) => {
    const seconds: number[] = [];
    const base = machine(world);
    const effects = overriding(base.effects, {
      async runProgram(path, limit) {
        if (!path.includes('/hooks.d/')) return { passed: true, detail: 'exit 0' };
        const time = takes[seconds.length] ?? 0;
        seconds.push(limit);
        vi.advanceTimersByTime(Math.min(time, limit) * 1000);
        return { passed: time <= limit, detail: time <= limit ? 'exit 0' : 'no answer' };
      },
    });
    const outcome = finalizeStaged({ ...base, effects }, { hooks: { timeout }, note });
    return { seconds, outcome };
  };
  afterEach(() => void vi.useRealTimers());

  it('have together as long as one has, and what is staged stays staged beyond that', async () => {
    const world = await withHooks([1, 2]);
    const folder = `/data/etc/${deploymentA}/pine/hooks.d/before-arming`;
    for (const name of ['60-mail', '70-balancer']) {
      await world.files.writeFile(`${folder}/${name}`, Buffer.from('#!/bin/sh\n'), 0o755);
    }
    await upgrade(machine(world), { ...upgradeOptions(releases), reboot: false });
    vi.useFakeTimers({ toFake: ['performance'] });
    const slow = finalize(world, 60, [40, 30]);
    await expect(slow.outcome).rejects.toMatchObject({
      ...{ code: 'STATE_HOOK_REFUSED', details: { found: 'no answer' } },
    });
    expect(slow.seconds).toEqual([60, 20]);
    const used = finalize(world, 60, [30, 30, 1]);
    await expect(used.outcome).rejects.toMatchObject({
      details: { found: 'not run: the others took the 60 s that all have' },
    });
    expect((await readStatus(machine(world), [])).staged).not.toBeNull();
    const quick = finalize(world, 60, [20, 20, 19]);
    expect(await quick.outcome).toMatchObject({ kind: 'armed' });
    expect(quick.seconds).toEqual([60, 40, 20]);
  });
});

describe('hooks of an upgrade', () => {
  it('are asked before staging and before arming, and told what is to come', async () => {
    const world = await withHooks([1, 2]);
    const outcome = await upgrade(machine(world), upgradeOptions(releases));
    expect(paths()).toEqual(['before-staging/50-db', 'before-arming/50-db']);
    for (const { options } of told) {
      expect(options?.environment).toMatchObject({
        PINE_COMMIT: releases.v2.checksum,
        PINE_VERSION: '2',
        PINE_SLOT: 'b',
        PINE_DEPLOYMENT: outcome.deployment,
        PINE_REASON: '',
      });
    }
    expect(told.map(({ options }) => options?.environment?.PINE_EVENT)).toEqual(events.slice(0, 2));
  });

  it('refuse it before the first byte of the slot, or when it is written', async () => {
    const world = await withHooks([1, 2]);
    const slot = Buffer.from(world.slots.b.medium);
    failing = ['before-staging'];
    const options = upgradeOptions(releases);
    await codeOfAsync(() => upgrade(machine(world), options), 'STATE_HOOK_REFUSED');
    expect(world.slots.b.medium.equals(slot)).toBe(true);
    expect(await world.boot.readChoice()).toEqual({ order: [1, 2] });

    failing = ['before-arming'];
    await codeOfAsync(() => upgrade(machine(world), options), 'STATE_HOOK_REFUSED');
    expect(await world.boot.readChoice()).toEqual({ order: [1] });

    // Asked again, it goes on where it was: nothing is fetched or written twice.
    failing = [];
    const again = await upgrade(machine(world), { ...options, remote: options.remote });
    expect(again.kind).toBe('armed');
    expect(again.fetched).toBeUndefined();
    expect((await world.boot.readChoice())?.trial).toEqual({ block: expect.any(Number), tries: 2 });
  });

  it('are named by a preview, which runs none and says what is not rolled back', async () => {
    const world = await withHooks([1, 2]);
    const preview = await previewUpgrade(machine(world), {
      ...upgradeOptions(releases),
      plan: true,
    });
    expect(preview.hooks?.map((path) => path.replace(/^.*hooks\.d\//, ''))).toEqual([
      'before-staging/50-db',
      'before-arming/50-db',
    ]);
    expect(preview.notRolledBack).toContain('/var');
    expect(told).toEqual([]);
  });
});

describe('hooks after the fact', () => {
  it('are told of a confirmation once, and of nothing during the trial', async () => {
    const world = await armedB(1);
    failing = ['after-confirmation'];
    expect(await bootComplete(machine(world, inB), settings)).toMatchObject({ kind: 'confirmed' });
    expect(paths()).toEqual(['after-confirmation/50-db']);
    expect(told[0]?.options?.environment).toMatchObject({
      PINE_EVENT: 'after-confirmation',
      PINE_DEPLOYMENT: deploymentB,
    });
    expect(notes).toContain('hook after-confirmation/50-db failed: exit 1: busy');
    const confirmed = machine(world, { ...inB, choice: 'order' });
    expect((await readStatus(confirmed, [])).failedHooks).toEqual([
      { name: 'after-confirmation/50-db', detail: 'exit 1: busy' },
    ]);
    await bootComplete(confirmed, settings);
    expect(told).toHaveLength(1);
  });

  it('are told why the machine fell back, by the system that it fell back to', async () => {
    const world = await armedB(0);
    await bootComplete(machine(world), settings);
    expect(paths()).toEqual(['after-rollback/50-db']);
    expect(told[0]?.options?.environment).toMatchObject({
      PINE_COMMIT: releases.v2.checksum,
      PINE_DEPLOYMENT: deploymentB,
      PINE_SLOT: 'b',
      PINE_REASON: expect.stringMatching(/no tries were left/),
    });
  });

  it('are told of a rollback by hand once the machine is back', async () => {
    const world = await withHooks([2, 1], 0);
    await world.boot.writeChoice({ order: [2, 1] });
    const left = machine(world, { ...inB, choice: 'order' });
    await rollback(left, { reboot: false, hooks: standardHooks, note });
    await bootComplete(left, settings); // not yet: the reboot is still to come
    expect(told).toEqual([]);
    await bootComplete(machine(world), settings);
    expect(paths()).toEqual(['after-rollback/50-db']);
  });

  it('are told at once of an upgrade that is given up', async () => {
    const world = await armedB(2);
    await rollback(machine(world), { reboot: true, hooks: standardHooks, note });
    expect(paths()).toEqual(['after-rollback/50-db']);
  });

  it('S7: are told again after a power cut, but not for ever', async () => {
    let world = await armedB(0);
    for (let boot = 1; boot <= 5; boot += 1) {
      // Each hook takes the power with it: it reboots the machine, say.
      const base = machine(world);
      const effects = overriding(base.effects, {
        async runProgram(path) {
          told.push({ path, options: undefined });
          world.power.cutAt(world.power.writes + 1);
          await world.files.remove('/run/pine');
          return { passed: true, detail: '' };
        },
      });
      await bootComplete({ ...base, effects }, settings).catch((error) => {
        if (!(error instanceof PowerCut)) throw error;
      });
      world = afterCut(world, dropAll);
    }
    expect(told).toHaveLength(3);
  });

  it('are not run when the history can not be read, nor when there are none', async () => {
    const world = await withHooks([1]);
    await tellOutcome(machine(world), standardHooks, note);
    expect(told).toEqual([]);
    expect(await world.files.status('/data/pine/hooks.json')).toBeUndefined();
  });
});

/** Slot b is armed, as an upgrade leaves it. */
async function armedB(tries: number): Promise<World> {
  const world = await withHooks([2, 1], tries);
  const { writeState } = await import('../../../src/deploy/state-files.ts');
  const { checksum: commit } = releases.v2;
  const armed = { time: 1, kind: 'armed', deployment: deploymentB, slot: 'b' } as const;
  await writeState(machineOf(world), {
    history: [{ ...armed, commit, version: '2', reason: '' }],
    held: [],
  });
  world.files.settleAll();
  return afterCut(world, keepAll);
}
