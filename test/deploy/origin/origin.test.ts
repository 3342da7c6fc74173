import { describe, expect, it } from 'vitest';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { readHistory } from '../../../src/deploy/history.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import type { Running } from '../../../src/deploy/machine.ts';
import { formatOrigin, type Origin, parseOrigin } from '../../../src/deploy/origin/origin.ts';
import { finalizeStaged } from '../../../src/deploy/staging/finalize.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { upgrade } from '../../../src/deploy/upgrade.ts';
import { change } from '../../crash/world/change-arguments.ts';
import { dropAll } from '../../crash/world/loss.ts';
import { ref } from '../../crash/world/release.ts';
import { upgradeOptions } from '../../crash/world/releases.ts';
import { settledMachine } from '../../crash/world/settled.ts';
import { afterCut, type MachineSettings, machineOf, type World } from '../../crash/world/world.ts';

const { releases, fresh } = await settledMachine();
const quiet = { hooks: standardHooks, note: () => {} };
const settings = { health: standardHealth, tries: 2, ...quiet };
const run = (world: World, reboot: boolean) =>
  upgrade(machineOf(world), { ...upgradeOptions(releases), reboot });
const originIn = async (world: World, slot: 0 | 1, machine?: MachineSettings) =>
  (await readStatus(machineOf(world, machine), [])).slots[slot]?.contents?.origin;

describe('the record of how an image came', () => {
  const origin: Origin = {
    commit: 'ab'.repeat(32),
    time: 1_800_000_000,
    kind: 'bundle',
    place: '/media/usb/web.bundle',
    ref,
    way: 'chain',
    deltas: 3,
    fetched: 12_345,
    resumedAt: 0,
    signedBy: 'release.pub',
  };
  it('comes back as it was written, also from a later pinectl, which may say more', () => {
    expect(parseOrigin(formatOrigin(origin))).toEqual(origin);
    const later = { version: 1, ...origin, mirror: 'https://mirror.example.org' };
    expect(parseOrigin(Buffer.from(JSON.stringify(later)))).toEqual(origin);
  });
  it.each(['', '{}', '[]', JSON.stringify({ version: 1, ...origin, way: 'pigeon' })])(
    'is not known when it says %s',
    (text) => expect(parseOrigin(Buffer.from(text))).toBeUndefined(),
  );
});

describe('how a system came', () => {
  it('is told of what is staged, armed and confirmed, in status and history, also after a power cut', async () => {
    let world = fresh();
    expect(await originIn(world, 1)).toBeNull(); // it was there before
    await run(world, false);
    world = afterCut(world, dropAll);
    const expected = {
      commit: releases.v2.checksum,
      time: 1_800_000_000,
      kind: 'remote',
      place: 'memory',
      ref,
      way: 'files',
      deltas: 0,
      resumedAt: 0,
      signedBy: 'release',
    };
    expect(await originIn(world, 1)).toMatchObject(expected);
    // Two objects of v2 are new: 90,000 bytes and 800 KiB.
    expect((await originIn(world, 1))?.fetched).toBe(90_000 + 800 * 1024);
    await finalizeStaged(machineOf(world), quiet);
    world = afterCut(world, dropAll);
    const id = (await world.boot.readDeployment(2))?.id ?? '';
    const inB = (choice: Running['choice']): MachineSettings => ({
      running: { deployment: id, slot: 'b', block: 2, choice },
    });
    await bootComplete(machineOf(world, inB('trial')), settings);
    world = afterCut(world, dropAll);
    expect(await originIn(world, 1, inB('order'))).toMatchObject(expected);
    const { events } = await readHistory(machineOf(world, inB('order')));
    expect(events.map(({ kind, origin }) => [kind, origin?.place])).toEqual([
      ['armed', 'memory'],
      ['confirmed', undefined],
    ]);
    // Other kernel arguments for the same image, when only their deployment is known any more.
    await change(world, { append: ['x'] }, machineOf(world, inB('order')));
    const changed = `${id.slice(0, -1)}1`;
    await world.files.remove(`/data/pine/origins/${id}.json`);
    expect(await world.files.status(`/data/pine/origins/${changed}.json`)).toBeDefined();
    expect(await originIn(world, 1, inB('order'))).toMatchObject(expected);
  });

  it('tells of a run that went on with an earlier one', async () => {
    const world = fresh();
    const writes = async () => {
      const whole = fresh();
      await run(whole, true);
      return whole.power.log.findIndex((line) => /^b: \d+ at 1048576$/.test(line));
    };
    world.power.cutAt((await writes()) + 1);
    await expect(run(world, true)).rejects.toThrow('power cut');
    const after = afterCut(world, dropAll);
    await run(after, true);
    expect(await originIn(after, 1)).toMatchObject({ resumedAt: 1024 * 1024 });
  });

  it('is forgotten with what the history does not name any more', async () => {
    const world = fresh();
    await world.files.makeFolder('/data/pine/origins', 0o755);
    await world.files.writeFile('/data/pine/origins/gone.0.json', Buffer.from('{}'), 0o644);
    await run(world, true);
    expect(await world.files.readFolder('/data/pine/origins')).toEqual([
      `${releases.v2.checksum.slice(0, 12)}.0.json`,
    ]);
  });
});
