import { describe, expect, it } from 'vitest';
import { parseAutomatic } from '../../../src/deploy/automatic/automatic-settings.ts';
import { runAutomatic } from '../../../src/deploy/automatic/run-automatic.ts';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import type { Machine, Running } from '../../../src/deploy/machine.ts';
import { pin, unpin } from '../../../src/deploy/pins/pin.ts';
import { readSituation } from '../../../src/deploy/situation.ts';
import { finalizeUnderLock } from '../../../src/deploy/staging/finalize.ts';
import { writeState } from '../../../src/deploy/state-files.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { upgrade } from '../../../src/deploy/upgrade.ts';
import { type ErrorCode, PineError } from '../../../src/error.ts';
import { overriding } from '../../crash/world/overriding.ts';
import { upgradeOptions } from '../../crash/world/releases.ts';
import { settledMachine } from '../../crash/world/settled.ts';
import { deploymentB, machineOf, type World } from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';

const { releases, fresh } = await settledMachine();

const on = (changes: object = {}) =>
  parseAutomatic({ enabled: true, timezone: 'Europe/Berlin', delay: 0, ...changes }, 'x');
const seconds = (moment: string) => Date.parse(moment) / 1000;

/** A machine whose clock and reboots the test sees. */
class Night {
  world: World = fresh();
  now = 0;
  reboots = 0;
  upgrades = 0;
  settings = on();
  running: Partial<Running> = {};
  failure: ErrorCode | undefined;
  hookRefuses = false;

  get machine(): Machine {
    const machine = machineOf(this.world, { running: this.running });
    const effects = overriding(machine.effects, {
      reboot: async () => {
        this.reboots += 1;
      },
      runProgram: async (path) => ({
        passed: !(this.hookRefuses && path.includes('before-arming')),
        detail: 'exit 1',
      }),
    });
    return { ...machine, effects, clock: { now: () => this.now } };
  }

  /** One call of crond's. */
  at(moment: string) {
    this.now = seconds(moment);
    const { machine } = this;
    const arm = () => finalizeUnderLock(machine, { hooks: standardHooks, note: () => {} });
    const bringUpToDate = async () => {
      this.upgrades += 1;
      if (this.failure !== undefined) {
        const details = { expected: 'x', found: 'x', where: 'x', remedy: 'x' };
        throw new PineError(this.failure, 'it did not work', details);
      }
      return upgrade(machine, { ...upgradeOptions(releases), reboot: false });
    };
    return runAutomatic(machine, this.settings, bringUpToDate, arm);
  }
}

describe('an unattended upgrade', () => {
  it('leaves what is pinned alone, says so in status and notice, and goes on once it is unpinned', async () => {
    const night = new Night();
    const notice = async () =>
      (await night.world.files.readFile('/run/pine/notice', 1000))?.toString();
    await pin(night.machine, 'other', () => {});
    expect(await notice()).toBeUndefined();
    expect(await night.at('2026-11-25T01:00:00Z')).toMatchObject({
      upgrade: { kind: 'pinned', detail: expect.stringContaining('second, pinned in slot b') },
      rebooting: false,
    });
    expect((await readStatus(night.machine, [])).automatic).toMatchObject({ kind: 'pinned' });
    expect(await notice()).toMatch(/^pine: an upgrade waits: second is pinned; `pinectl unpin /);
    expect(await night.at('2026-11-25T01:15:00Z')).toMatchObject({ idle: 'not now' });
    await unpin(night.machine, { everything: true }, () => {});
    expect(await notice()).toBeUndefined();
    expect(await night.at('2026-11-26T01:00:00Z')).toMatchObject({ upgrade: { kind: 'staged' } });
  });

  it('waits for its window, upgrades once, and reboots there', async () => {
    const night = new Night();
    expect(await night.at('2026-11-25T00:59:00Z')).toEqual({ idle: 'not now', rebooting: false });
    expect(await night.at('2026-11-25T01:00:00Z')).toMatchObject({
      upgrade: { kind: 'staged', detail: releases.v2.checksum },
      rebooting: true,
    });
    expect([night.upgrades, night.reboots]).toEqual([1, 1]);
    expect((await readStatus(night.machine, [])).automatic).toMatchObject({ kind: 'staged' });
    expect((await night.world.boot.readChoice())?.trial).toBeDefined();
  });

  it('is off by default, and does nothing that is not asked for', async () => {
    const night = new Night();
    night.settings = parseAutomatic({}, 'x');
    expect(await night.at('2026-11-25T02:30:00Z')).toMatchObject({
      idle: 'unattended upgrades are off',
    });
    expect([night.upgrades, night.reboots, night.world.power.writes]).toEqual([0, 0, 0]);
  });

  it('only stages when that is what it is told', async () => {
    const night = new Night();
    night.settings = on({ how: 'stage' });
    await night.at('2026-11-25T01:00:00Z');
    await night.at('2026-11-26T01:00:00Z');
    expect([night.upgrades, night.reboots]).toEqual([2, 0]);
    expect((await readStatus(night.machine, [])).staged).toBeTruthy();
  });

  it('upgrades in one window and reboots in another', async () => {
    const night = new Night();
    night.settings = on({ when: '12:00-14:00', reboot: 'sun 02:00-04:00' });
    await night.at('2026-11-25T11:00:00Z'); // Wednesday
    await night.at('2026-11-26T02:00:00Z');
    expect([night.upgrades, night.reboots]).toEqual([1, 0]);
    expect(await night.at('2026-11-29T01:30:00Z')).toEqual({ rebooting: true });
    expect(night.reboots).toBe(1);
  });

  it('does nothing during a trial, and goes on once it is confirmed', async () => {
    const night = new Night();
    await night.at('2026-11-25T01:00:00Z');
    const trial = await night.world.boot.readDeployment(
      (await night.world.boot.readChoice())?.trial?.block ?? 0,
    );
    const block = (await night.world.boot.readChoice())?.trial?.block;
    night.running = { deployment: trial?.id ?? '', slot: 'b', block, choice: 'trial' };
    expect(await night.at('2026-11-25T01:15:00Z')).toMatchObject({
      idle: 'the running deployment is on trial',
    });
    const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
    expect(await bootComplete(night.machine, settings)).toMatchObject({ kind: 'confirmed' });
    expect(await night.at('2026-11-25T01:30:00Z')).toEqual({ idle: 'not now', rebooting: false });
    expect((await night.at('2026-11-26T01:30:00Z')).upgrade).toMatchObject({ kind: 'up-to-date' });
    expect([night.upgrades, night.reboots]).toEqual([2, 1]);
  });

  it('tries again in the same window when the remote does not answer, and not after', async () => {
    const night = new Night();
    night.failure = 'REMOTE_UNREACHABLE';
    expect(await night.at('2026-11-25T03:30:00Z')).toMatchObject({
      upgrade: { kind: 'failed', detail: 'REMOTE_UNREACHABLE: it did not work' },
    });
    await night.at('2026-11-25T03:45:00Z');
    expect(await night.at('2026-11-25T04:00:00Z')).toMatchObject({ idle: 'not now' });
    expect(night.upgrades).toBe(2);
    night.failure = undefined;
    expect(await night.at('2026-11-26T01:00:00Z')).toMatchObject({ rebooting: true });
  });

  it('reports once a night what does not pass by itself', async () => {
    const night = new Night();
    night.failure = 'TRUST_UNKNOWN_KEY';
    await codeOfAsync(() => night.at('2026-11-25T01:00:00Z'), 'TRUST_UNKNOWN_KEY');
    expect(await night.at('2026-11-25T01:15:00Z')).toMatchObject({ idle: 'not now' });
    expect((await readStatus(night.machine, [])).automatic).toMatchObject({
      kind: 'failed',
      detail: 'TRUST_UNKNOWN_KEY: it did not work',
    });
  });

  it('takes a held commit for what it is: nothing new', async () => {
    const night = new Night();
    night.failure = 'STATE_HELD';
    expect(await night.at('2026-11-25T01:00:00Z')).toMatchObject({
      upgrade: { kind: 'held' },
      rebooting: false,
    });
  });

  it('leaves the reboot for the next time when another pinectl is at work', async () => {
    const night = new Night();
    night.settings = on({ how: 'stage' });
    await night.at('2026-11-25T01:00:00Z');
    night.settings = on();
    const { machine } = night;
    const lock = await machine.effects.lock();
    const never = () => Promise.reject(new Error('not due'));
    const busy = runAutomatic(machine, night.settings, never, never);
    expect(await busy).toEqual({ idle: 'not now', rebooting: false });
    await lock.release();
    expect(night.reboots).toBe(0);
  });

  it('does not reboot for what it can not arm, however often it is asked', async () => {
    const night = new Night();
    const folder = '/data/etc/first/pine/hooks.d/before-arming';
    await night.world.files.makeFolder(folder, 0o755);
    await night.world.files.writeFile(`${folder}/50-busy`, Buffer.from('#!/bin/sh\n'), 0o755);
    night.hookRefuses = true;
    expect(await night.at('2026-11-25T01:00:00Z')).toMatchObject({
      upgrade: { kind: 'staged' },
      rebooting: false,
    });
    // Held meanwhile, as by a rollback elsewhere: finalizing keeps it staged.
    night.hookRefuses = false;
    const { checksum: commit } = releases.v2;
    const { state } = await readSituation(night.machine);
    const held = [{ commit, since: 1, reason: 'withdrawn' }];
    await writeState(night.machine, { ...state, held });
    await night.at('2026-11-25T01:15:00Z');
    expect(night.reboots).toBe(0);
    await writeState(night.machine, state);
    expect(await night.at('2026-11-25T01:30:00Z')).toEqual({ rebooting: true });
  });

  it.each<[string, Partial<Running>, RegExp]>([
    ['runs without its data', { data: 'degraded' }, /data partition/],
    ['was left by a rollback', { deployment: deploymentB, slot: 'b', block: 3 }, /rollback/],
  ])('does nothing on a machine that %s', async (_what, running, idle) => {
    const night = new Night();
    night.running = running;
    const outcome = await night.at('2026-11-25T01:00:00Z');
    expect(outcome.idle).toMatch(idle);
    expect(night.upgrades).toBe(0);
  });
});

describe('a clock that jumps', () => {
  it('to before the running commit is not believed', async () => {
    const night = new Night();
    night.settings = on({ when: '00:00-24:00' });
    const behind = 199; // v1 was committed at 200
    expect(await night.at(new Date(behind * 1000).toISOString())).toMatchObject({
      idle: expect.stringMatching(/clock is behind/),
    });
    expect([night.upgrades, night.world.power.writes]).toEqual([0, 0]);
    expect((await night.at('2026-11-25T01:30:00Z')).rebooting).toBe(true);
  });

  it('back or forward never leads to a reboot outside of the window, nor to two for one upgrade', async () => {
    const night = new Night();
    const moments = ['2026-11-25T01:00:00Z', '2026-11-24T02:00:00Z', '2027-05-01T12:00:00Z'];
    await night.at(String(moments[0]));
    // The trial runs and is confirmed; then the clock is set, and set again.
    const choice = await night.world.boot.readChoice();
    const block = choice?.trial?.block ?? 0;
    await night.world.boot.writeChoice({ order: choice?.order ?? [] });
    const deployment = (await night.world.boot.readDeployment(block))?.id ?? '';
    night.running = { deployment, slot: 'b', block };
    for (const moment of [...moments, ...moments]) await night.at(moment);
    expect(night.reboots).toBe(1);
  });
});
