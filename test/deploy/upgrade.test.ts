import { describe, expect, it } from 'vitest';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { withHold } from '../../src/deploy/state.ts';
import { writeState } from '../../src/deploy/state-files.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import { keepAll } from '../crash/world/loss.ts';
import { makeRelease } from '../crash/world/release.ts';
import { upgradeOptions } from '../crash/world/releases.ts';
import { remoteOf } from '../crash/world/remote.ts';
import { settledMachine } from '../crash/world/settled.ts';
import { afterCut, machineOf, makeWorld } from '../crash/world/world.ts';

const { releases, fresh } = await settledMachine();

/** One that is older than what runs. */
const makeOlder = () => {
  const key = releases.keys.secretKey;
  return makeRelease({ version: 'x', timestamp: 150, objects: { other: 1000 }, key });
};

describe('an upgrade', () => {
  it('is refused while another pinectl is at work', async () => {
    const world = fresh();
    const machine = machineOf(world);
    const lock = await machine.effects.lock();
    await expect(upgrade(machine, upgradeOptions(releases))).rejects.toMatchObject({
      code: 'STATE_LOCKED',
    });
    await expect(
      rollback(machine, { reboot: false, hooks: standardHooks, note: () => {} }),
    ).rejects.toMatchObject({
      code: 'STATE_LOCKED',
    });
    await lock.release();
    expect(world.power.log).toEqual([]);
  });

  it('says so when there is nothing new, and writes nothing', async () => {
    const world = fresh();
    const options = { ...upgradeOptions(releases), remote: remoteOf(releases.v1) };
    expect(await upgrade(machineOf(world), options)).toMatchObject({
      kind: 'up-to-date',
      version: '1',
      rebooting: false,
    });
    expect(world.power.log).toEqual([]);
  });

  it('fetches what is new, and copies the rest from the running slot', async () => {
    const world = fresh();
    const machine = machineOf(world);
    const options = upgradeOptions(releases);
    const preview = await previewUpgrade(machine, { ...options, plan: true });
    const fetched = 90_000 + 800 * 1024;
    expect(preview).toMatchObject({
      kind: 'new',
      slot: 'b',
      plan: { objects: 2, bytes: { object: fetched, range: 400 * 1024 } },
    });
    expect(world.power.log).toEqual([]);
    let reboots = 0;
    const reboot = async () => {
      reboots += 1;
    };
    const effects = { ...machine.effects, reboot };
    const outcome = await upgrade({ ...machine, effects }, options);
    expect(outcome).toMatchObject({
      kind: 'armed',
      slot: 'b',
      fetched: { bytes: fetched, objects: 2 },
      rebooting: true,
    });
    expect(reboots).toBe(1);
    // Once more: it is armed already, and only the reboot is still to come.
    expect(await upgrade(machine, { ...options, reboot: false })).toMatchObject({
      kind: 'already-armed',
      deployment: outcome.deployment,
    });
  });

  it('lifts a hold with --retry, and takes an older commit with --allow-downgrade', async () => {
    const world = fresh();
    const machine = machineOf(world);
    const hold = { commit: releases.v2.checksum, since: 1, reason: 'it hung' };
    await writeState(machine, withHold((await readSituation(machine)).state, hold));
    await upgrade(machine, { ...upgradeOptions(releases), retry: true });
    expect((await readSituation(machine)).state.held).toEqual([]);

    const older = remoteOf(await makeOlder());
    const options = { ...upgradeOptions(releases), remote: older, allowDowngrade: true };
    expect(await upgrade(machineOf(fresh()), options)).toMatchObject({ kind: 'armed' });
  });

  it('fetches the whole image when the running slot is damaged', async () => {
    const world = fresh();
    world.slots.a.medium.fill(0, 50_000, 50_100);
    const notes: string[] = [];
    const options = { ...upgradeOptions(releases), note: (text: string) => void notes.push(text) };
    const outcome = await upgrade(machineOf(afterCut(world, keepAll)), options);
    expect(outcome).toMatchObject({ kind: 'armed', fetched: { objects: 2 + 4 } });
    expect(notes.join()).toMatch(/damaged: fetching the whole image/);
  });

  it('fetches everything when no plan of the running slot can be had', async () => {
    const world = fresh();
    await world.files.remove(`/data/pine/plans/${releases.v1.checksum}.plan`);
    world.slots.a.medium.fill(0, 8, 96); // the superblock: no plan can be made of it either
    const notes: string[] = [];
    const options = { ...upgradeOptions(releases), note: (text: string) => void notes.push(text) };
    expect(await upgrade(machineOf(world), options)).toMatchObject({
      kind: 'armed',
      fetched: { objects: 4 },
    });
    expect(notes.join()).toMatch(/no plan of the running slot/);
  });

  it('takes what fails already into the baseline', async () => {
    const world = fresh();
    const machine = machineOf(world, { check: () => ({ passed: false, detail: 'exit 1' }) });
    const outcome = await upgrade(machine, upgradeOptions(releases));
    const { state } = await readSituation(machine);
    expect(state.baseline).toEqual({ deployment: outcome.deployment, failing: ['web'] });
  });

  it('first closes the book on a trial that failed', async () => {
    const world = await makeWorld({
      a: releases.v1,
      b: releases.v2,
      order: [2, 1],
      trial: { block: 2, tries: 0 },
    });
    const machine = machineOf(world);
    await expect(upgrade(machine, upgradeOptions(releases))).rejects.toMatchObject({
      code: 'STATE_HELD',
    });
    expect(await world.boot.readChoice()).toEqual({ order: [1] });
  });
});
