import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { emptyState, type HistoryEvent } from '../../src/deploy/state.ts';
import { writeState } from '../../src/deploy/state-files.ts';
import { readStatus } from '../../src/deploy/status.ts';
import { makeReleases, type Releases } from '../crash/world/releases.ts';
import {
  deploymentA,
  deploymentB,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from '../crash/world/world.ts';
import { codeOfAsync } from '../support/code-of.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

const world = (order: readonly number[], trial?: BootChoice['trial']) =>
  makeWorld({ a: releases.v1, b: releases.v2, order, ...(trial && { trial }) });
const inB = (choice: 'order' | 'trial'): MachineSettings => ({
  running: { deployment: deploymentB, slot: 'b', block: 2, choice },
});
const options = { reboot: true, hooks: standardHooks, note: () => {} };
const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
const heldCommits = async (of: World) =>
  (await readSituation(machineOf(of))).state.held.map(({ commit }) => commit);

describe('rollback', () => {
  it('goes to the next of the order, holds what it left, and a late boot-complete changes nothing', async () => {
    const machine = await world([2, 1]);
    let reboots = 0;
    const running = machineOf(machine, { ...inB('order'), onReboot: () => (reboots += 1) });
    const outcome = await rollback(running, options);
    expect(outcome).toMatchObject({ kind: 'left', to: { id: deploymentA }, rebooting: true });
    expect(reboots).toBe(1);
    expect(await machine.boot.readChoice()).toEqual({ order: [1] });
    expect(await heldCommits(machine)).toEqual([releases.v2.checksum]);
    expect(await bootComplete(running, settings)).toEqual({ kind: 'ordinary' });
    expect(await machine.boot.readChoice()).toEqual({ order: [1] });
  });

  it('ends a trial, also while its health checks are still running', async () => {
    const machine = await world([2, 1], { block: 2, tries: 1 });
    const base = machineOf(machine, inB('trial'));
    const effects = {
      ...base.effects,
      // The administrator is faster than the check.
      runProgram: async () => {
        await rollback(base, { ...options, reboot: false });
        return { passed: true, detail: 'exit 0' };
      },
    };
    expect(await bootComplete({ ...base, effects }, settings)).toEqual({ kind: 'ordinary' });
    expect(await machine.boot.readChoice()).toEqual({ order: [1] });
    expect(await heldCommits(machine)).toEqual([releases.v2.checksum]);
  });

  it('leaves the reboot to the administrator when that is asked for, also during a trial', async () => {
    const machine = await world([2, 1], { block: 2, tries: 1 });
    await rollback(machineOf(machine, inB('trial')), { ...options, reboot: false });
    expect(await machine.files.status('/run/pine/confirmed')).toBeDefined();
    const other = await world([2, 1], { block: 2, tries: 1 });
    await rollback(machineOf(other, inB('trial')), options);
    expect(await other.files.status('/run/pine/confirmed')).toBeUndefined();
  });

  it('gives an armed upgrade up before its first boot, without a reboot', async () => {
    const machine = await world([2, 1], { block: 2, tries: 2 });
    expect(await rollback(machineOf(machine), options)).toEqual({
      kind: 'given-up',
      left: releases.v2.checksum,
      held: true,
    });
    expect(await machine.boot.readChoice()).toEqual({ order: [1] });
    expect(await heldCommits(machine)).toEqual([releases.v2.checksum]);
  });

  it('tells when the trial has failed already', async () => {
    const machine = await world([2, 1], { block: 2, tries: 0 });
    expect(await rollback(machineOf(machine), options)).toMatchObject({ kind: 'fell-back' });
    expect(await machine.boot.readChoice()).toEqual({ order: [1] });
  });

  const event = (kind: HistoryEvent['kind']): HistoryEvent => ({
    time: 1,
    kind,
    deployment: deploymentB,
    slot: 'b',
    commit: releases.v2.checksum,
    version: '2',
    reason: '',
  });

  it('goes to what the history says was confirmed, if its slot is whole', async () => {
    const machine = await world([1]);
    await writeState(machineOf(machine), { ...emptyState, history: [event('confirmed')] });
    const outcome = await rollback(machineOf(machine), options);
    expect(outcome).toMatchObject({ kind: 'left', to: { id: deploymentB } });
    expect(await machine.boot.readChoice()).toEqual({ order: [2] });
  });

  it.each<[string, (machine: World) => Promise<void> | void]>([
    ['was never confirmed', () => {}],
    [
      'fell back',
      (machine) => writeState(machineOf(machine), { ...emptyState, history: [event('fell-back')] }),
    ],
    [
      'is held',
      (machine) =>
        writeState(machineOf(machine), {
          history: [event('confirmed')],
          held: [{ commit: releases.v2.checksum, since: 1, reason: 'why' }],
        }),
    ],
    [
      'has a damaged image',
      async (machine) => {
        machine.slots.b.medium.fill(0, 1000, 1001);
        await writeState(machineOf(machine), { ...emptyState, history: [event('confirmed')] });
      },
    ],
  ])('refuses a deployment of the other slot that %s', async (_what, prepare) => {
    const machine = await world([1]);
    await prepare(machine);
    await codeOfAsync(() => rollback(machineOf(machine), options), 'STATE_NOTHING_TO_GO_BACK_TO');
    expect(machine.boot.disk.written).toBe(false);
  });

  it('refuses after an emergency boot, until boot-complete has written a fresh choice', async () => {
    const machine = await world([2, 1], { block: 2, tries: 0 });
    const emergency = machineOf(machine, { running: { choice: 'emergency' } });
    await codeOfAsync(() => rollback(emergency, options), 'STATE_EMERGENCY');
    expect(machine.power.log).toEqual([]);
    expect(await bootComplete(emergency, settings)).toEqual({ kind: 'recovered' });
    expect(await machine.boot.readChoice()).toEqual({ order: [1] });
    await codeOfAsync(() => rollback(emergency, options), 'STATE_NOTHING_TO_GO_BACK_TO');
  });

  it('refuses with a damaged choice, before anything is written', async () => {
    const machine = await world([1, 2]);
    machine.boot.disk.medium.fill('x', 0, 512);
    await codeOfAsync(() => rollback(machineOf(machine), options), 'STATE_NOTHING_TO_GO_BACK_TO');
    expect(machine.power.log.filter((line) => !line.includes(' /run'))).toEqual([]);
  });
});

describe('boot-complete', () => {
  it('after an emergency: the deployment that runs comes first, and gets a block if it has none', async () => {
    const emergency = { running: { choice: 'emergency' as const } };
    const damaged = await world([1, 2]);
    damaged.boot.disk.medium.fill(0, 0, 512);
    expect(await bootComplete(machineOf(damaged, emergency), settings)).toEqual({
      kind: 'recovered',
    });
    expect(await damaged.boot.readChoice()).toEqual({ order: [1] });

    const nameless = await world([2]);
    nameless.boot.disk.medium.fill('x', 512, 512 + 4096);
    const running = { ...emergency.running, block: undefined };
    const machine = machineOf(nameless, { running });
    expect(await bootComplete(machine, settings)).toEqual({ kind: 'recovered' });
    const choice = await nameless.boot.readChoice();
    const [first = 0] = choice?.order ?? [];
    expect(await nameless.boot.readDeployment(first)).toMatchObject({
      id: deploymentA,
      slot: 'a',
      commit: releases.v1.checksum,
    });
    // Once: what it wrote is not undone by running it again.
    const written = nameless.power.writes;
    expect(await bootComplete(machine, settings)).toEqual({ kind: 'ordinary' });
    expect(nameless.power.writes - written).toBe(0);
  });

  it('ignores what failed before the upgrade too, and nothing else', async () => {
    const failing = { ...inB('trial'), check: () => ({ passed: false, detail: 'exit 1' }) };
    const known = await world([2, 1], { block: 2, tries: 1 });
    const baseline = { deployment: deploymentB, failing: ['web'] };
    await writeState(machineOf(known), { ...emptyState, baseline });
    expect(await bootComplete(machineOf(known, failing), settings)).toMatchObject({
      kind: 'confirmed',
      checks: [{ name: 'web', passed: false, known: true }],
    });
    const other = await world([2, 1], { block: 2, tries: 1 });
    await writeState(machineOf(other), {
      ...emptyState,
      baseline: { deployment: deploymentA, failing: ['web'] },
    });
    expect(await bootComplete(machineOf(other, failing), settings)).toMatchObject({
      kind: 'failed',
      failed: [{ name: 'web', detail: 'exit 1' }],
    });
  });

  it('keeps a rescue copy when it changed, and leaves it alone when not', async () => {
    const machine = await world([1]);
    await bootComplete(machineOf(machine), settings);
    const tar = machine.boot.rescue?.toString('latin1') ?? '';
    expect(tar).toContain('etc/ssh/ssh_host_ed25519_key');
    expect(tar).toContain('etc/hostname');
    expect(tar).not.toContain('shadow');
    const first = machine.boot.rescue;
    await bootComplete(machineOf(machine), settings);
    expect(machine.boot.rescue).toBe(first);
  });

  it('leaves an armed trial alone that waits for its first boot', async () => {
    const machine = await world([2, 1], { block: 2, tries: 2 });
    expect(await bootComplete(machineOf(machine), settings)).toEqual({ kind: 'ordinary' });
    expect(await machine.boot.readChoice()).toEqual({
      order: [2, 1],
      trial: { block: 2, tries: 2 },
    });
  });
});

describe('status', () => {
  it('tells slots, trial, signature and why it fell back', async () => {
    const machine = await world([2, 1], { block: 2, tries: 0 });
    const running = machineOf(machine);
    expect(await readStatus(running, [releases.keys.publicKey])).toMatchObject({
      trial: { deployment: deploymentB, state: 'failed' },
      slots: [
        { slot: 'a', running: true, contents: { version: '1', signedBy: 'release' } },
        { slot: 'b', deployments: [{ block: 2, state: 'trial' }], contents: { version: '2' } },
      ],
      lastRollback: null,
    });
    await bootComplete(running, settings);
    expect(await readStatus(running, [])).toMatchObject({
      trial: null,
      slots: [{ contents: { signedBy: null } }, { deployments: [] }],
      lastRollback: { kind: 'fell-back', version: '2', reason: expect.stringMatching(/no tries/) },
      held: [{ commit: releases.v2.checksum }],
    });
  });

  it('goes on with a slot, a choice and a state.json that are damaged', async () => {
    const machine = await world([1]);
    machine.slots.b.medium.fill(7, machine.slots.b.medium.length - 200);
    machine.boot.disk.medium.fill('x', 0, 512);
    await machine.files.makeFolder('/data/pine', 0o755);
    await machine.files.writeFile('/data/pine/state.json', Buffer.from('{'), 0o644);
    await machine.files.writeFile('/data/pine/writing.json', Buffer.from('{'), 0o644);
    expect(await readStatus(machineOf(machine), [])).toMatchObject({
      choiceReadable: false,
      stateLost: true,
      writing: null,
      slots: [{}, { problem: expect.stringMatching(/trailer of a slot is damaged/) }],
    });
  });
});
