import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import type { Machine, Running } from '../../src/deploy/machine.ts';
import { rollback } from '../../src/deploy/rollback.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { overriding } from '../crash/world/overriding.ts';
import { makeReleases, type Releases, upgradeOptions } from '../crash/world/releases.ts';
import { deploymentB, machineOf, makeWorld, type World } from '../crash/world/world.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

const world = (order: readonly number[], trial?: BootChoice['trial']) =>
  makeWorld({ a: releases.v1, b: releases.v2, order, ...(trial && { trial }) });
const noticeIn = async ({ files }: World) =>
  (await files.readFile('/run/pine/notice', 1000))?.toString();
const inB: Partial<Running> = { deployment: deploymentB, slot: 'b', block: 2, choice: 'trial' };
const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };

/** A machine that notes what is told to whoever logs in while its health checks run. */
function watched(of: World, seen: (string | undefined)[]): Machine {
  const machine = machineOf(of, { running: inB });
  const effects = overriding(machine.effects, {
    async runProgram() {
      seen.push(await noticeIn(of));
      return { passed: true, detail: 'exit 0' };
    },
  });
  return { ...machine, effects };
}

describe('whoever logs in is told', () => {
  it('of a trial and its tries, until it is confirmed', async () => {
    const machine = await world([2, 1], { block: 2, tries: 1 });
    const seen: (string | undefined)[] = [];
    await bootComplete(watched(machine, seen), settings);
    expect(seen.join()).toMatch(/second, is on trial; tries left after this boot: 1$/m);
    expect(await noticeIn(machine)).toBeUndefined();
  });

  it('of an upgrade that waits for its reboot, and no more once it is given up', async () => {
    const machine = await makeWorld({ a: releases.v1, b: releases.v0, order: [1, 2] });
    const running = machineOf(machine);
    await upgrade(running, { ...upgradeOptions(releases), reboot: false });
    expect(await noticeIn(machine)).toMatch(/ is staged: a reboot arms it, and is its trial$/m);
    await upgrade(running, { ...upgradeOptions(releases), reboot: true });
    expect(await noticeIn(machine)).toMatch(
      / is armed: the next boot is its trial, with 2 tries$/m,
    );
    await rollback(running, { reboot: true, hooks: standardHooks, note: () => {} });
    expect(await noticeIn(machine)).toBeUndefined();
  });

  it('of a fall-back, and of a rollback that waits for its reboot', async () => {
    const machine = await world([2, 1], { block: 2, tries: 0 });
    await bootComplete(machineOf(machine), settings);
    expect(await noticeIn(machine)).toBe(
      'pine: fell back from second (2): `pinectl status` says why\n',
    );
    const left = await world([2, 1]);
    const running = { ...inB, choice: 'order' } as const;
    const options = { reboot: false, hooks: standardHooks, note: () => {} };
    await rollback(machineOf(left, { running }), options);
    expect(await noticeIn(left)).toMatch(/left by a rollback/);
  });
});

describe('/etc/profile.d/pine.sh', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pine-profile-'));
    const script = resolve(import.meta.dirname, '../../overlay/etc/profile.d/pine.sh');
    const text = readFileSync(script, 'utf8').replaceAll('/run/pine', folder);
    writeFileSync(join(folder, 'pine.sh'), text);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const login = (...options: string[]) =>
    spawnSync('sh', [...options, '-c', `. ${folder}/pine.sh`], { encoding: 'utf8' }).stdout;

  it('prints it to interactive shells only', () => {
    expect(login('-i')).toBe('');
    writeFileSync(join(folder, 'boot'), 'slot=b\nchoice=trial\n');
    expect(login('-i')).toBe('pine: this system is on trial (pinectl status)\n');
    writeFileSync(join(folder, 'notice'), 'pine: something\n');
    expect(login('-i')).toBe('pine: something\n');
    expect(login()).toBe('');
    rmSync(join(folder, 'notice'));
    writeFileSync(join(folder, 'confirmed'), '');
    expect(login('-i')).toBe('');
  });
});
