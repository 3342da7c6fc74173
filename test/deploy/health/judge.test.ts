import { beforeAll, describe, expect, it } from 'vitest';
import { readAttempts } from '../../../src/deploy/attempts.ts';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { explainFallBack } from '../../../src/deploy/fall-back.ts';
import { readHealthReport } from '../../../src/deploy/health/health-report.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import type { Machine, Running } from '../../../src/deploy/machine.ts';
import { attemptsFile } from '../../../src/deploy/paths.ts';
import { rollback } from '../../../src/deploy/rollback.ts';
import { readSituation } from '../../../src/deploy/situation.ts';
import { writeState } from '../../../src/deploy/state-files.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { overriding } from '../../crash/world/overriding.ts';
import { makeReleases, type Releases } from '../../crash/world/releases.ts';
import { deploymentB, machineOf, makeWorld, type World } from '../../crash/world/world.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

const folder = `/data/etc/${deploymentB}/pine/health.d`;
const notes: string[] = [];
const settings = {
  health: standardHealth,
  hooks: standardHooks,
  tries: 2,
  note: (text: string) => notes.push(text),
};
const running: Partial<Running> = {
  deployment: deploymentB,
  slot: 'b',
  block: 2,
  choice: 'trial',
};

/** A machine on trial with one check in each place. Those that are named in `failing` do. */
async function onTrial(failing: readonly string[]): Promise<{ world: World; machine: Machine }> {
  const { v1, v2 } = releases;
  const world = await makeWorld({ a: v1, b: v2, order: [2, 1], trial: { block: 2, tries: 1 } });
  for (const name of ['required.d/50-database', 'wanted.d/60-mail', 'wanted.d/web']) {
    await world.files.makeFolder(`${folder}/${name.split('/')[0]}`, 0o755);
    await world.files.writeFile(`${folder}/${name}`, Buffer.from('#!/bin/sh\n'), 0o755);
  }
  const check = (path: string) => ({
    passed: !failing.some((name) => path.endsWith(`/${name}`)),
    detail: path.slice(folder.length + 1),
  });
  return { world, machine: machineOf(world, { running, check }) };
}

describe('a trial', () => {
  it('is confirmed when all required checks pass; wanted ones are told about', async () => {
    const { world, machine } = await onTrial(['60-mail']);
    expect(await bootComplete(machine, settings)).toMatchObject({ kind: 'confirmed' });
    expect(await world.boot.readChoice()).toEqual({ order: [2, 1] });
    const report = await readHealthReport(machine);
    expect(report).toMatchObject({ deployment: deploymentB });
    expect(report?.checks.map(({ name, severity, passed }) => [name, severity, passed])).toEqual([
      ['50-database', 'required', true],
      ['web', 'required', true], // the one in health.d itself
      ['60-mail', 'wanted', false],
    ]);
  });

  it('is confirmed at its second attempt, and the history says how the first ended', async () => {
    const { world, machine } = await onTrial([]);
    const log = Buffer.from(
      '1 initramfs\n2 handed-over\n3 userspace\n4 checking web\n9 initramfs\n',
    );
    await world.files.makeFolder('/data/pine/attempts', 0o755);
    await world.files.writeFile(`/data/pine/attempts/${deploymentB}.log`, log, 0o644);
    expect(await bootComplete(machine, settings)).toMatchObject({ kind: 'confirmed' });
    expect((await readStatus(machine, [])).history.at(-1)).toMatchObject({
      kind: 'confirmed',
      reason: 'an attempt before: it stopped: userspace came up, its health check web did not end',
    });
  });

  it('is confirmed before its wanted checks begin: they use up nothing of its time', async () => {
    const { world, machine } = await onTrial([]);
    const choices: [string, unknown][] = [];
    const effects = overriding(machine.effects, {
      async runProgram(path) {
        const { trial } = (await world.boot.readChoice()) ?? {};
        const done = (await world.files.status('/run/pine/confirmed')) !== undefined;
        choices.push([path.slice(folder.length + 1), done && trial === undefined]);
        return { passed: true, detail: '' };
      },
    });
    await bootComplete({ ...machine, effects }, settings);
    expect(choices).toEqual([
      ['required.d/50-database', false],
      ['web', false],
      ['wanted.d/60-mail', true],
    ]);
  });

  it('has no wanted check run once a required one has failed', async () => {
    const { machine } = await onTrial(['web', '60-mail']);
    await bootComplete(machine, settings);
    const report = await readHealthReport(machine);
    expect(report?.checks.map(({ name }) => name)).toEqual(['50-database', 'web']);
  });

  it('that is left by a rollback while wanted checks run stays left', async () => {
    const { world, machine } = await onTrial([]);
    const effects = overriding(machine.effects, {
      async runProgram(path) {
        const hooks = standardHooks;
        if (path.endsWith('60-mail'))
          await rollback(machine, { reboot: true, hooks, note: () => {} });
        return { passed: true, detail: '' };
      },
    });
    await bootComplete({ ...machine, effects }, settings);
    expect(await world.boot.readChoice()).toEqual({ order: [1] });
    const { history, held } = (await readSituation(machine)).state;
    expect(history.at(-1)).toMatchObject({ kind: 'rolled-back', deployment: deploymentB });
    expect(held).toHaveLength(1);
  });

  it('tells in the history which wanted check failed', async () => {
    const { machine } = await onTrial(['60-mail']);
    const { history } = await stateAfter(machine, [{ kind: 'armed' }]);
    expect(history.at(-1)).toMatchObject({
      kind: 'confirmed',
      reason: 'health 60-mail failed, which is only wanted: wanted.d/60-mail',
    });
  });

  it.each(['50-database', 'web'])('ends when the required check %s fails', async (name) => {
    const { world, machine } = await onTrial([name, '60-mail']);
    expect(await bootComplete(machine, settings)).toMatchObject({
      kind: 'failed',
      failed: [{ name, severity: 'required' }],
    });
    expect((await world.boot.readChoice())?.trial).toEqual({ block: 2, tries: 1 });
  });

  it.each([
    { what: 'the same service', before: ['ntpd'], parts: ['ntpd'], ended: false, told: '' },
    { what: 'fewer', before: ['nginx', 'ntpd'], parts: ['ntpd'], ended: false, told: '' },
    {
      what: 'another one too',
      before: ['ntpd'],
      parts: ['nginx', 'ntpd'],
      ended: true,
      told: ' (not before the upgrade: nginx)',
    },
    { what: 'another one', before: ['ntpd'], parts: ['nginx'], ended: true, told: '' },
    { what: 'it does not say what', before: ['ntpd'], parts: undefined, ended: true, told: '' },
    {
      what: 'something, and all of it had failed',
      before: [],
      parts: ['ntpd'],
      ended: false,
      told: '',
    },
  ])(
    'that had failed in a part already, and now in $what',
    async ({ before, parts, ended, told }) => {
      const { machine } = await onTrial([]);
      const failing = before.length === 0 ? ['web'] : before.map((part) => `web/${part}`);
      await writeState(machine, {
        ...{ history: [], held: [], baseline: { deployment: deploymentB, failing } },
      });
      const effects = overriding(machine.effects, {
        runProgram: async (path) =>
          path === `${folder}/web`
            ? { passed: false, detail: 'exit 1', ...(parts && { parts }) }
            : { passed: true, detail: '' },
      });
      const outcome = await bootComplete({ ...machine, effects }, settings);
      expect(outcome.kind).toBe(ended ? 'failed' : 'confirmed');
      const report = await readHealthReport(machine);
      const check = report?.checks.find(({ name }) => name === 'web');
      expect(check).toMatchObject({ known: !ended, detail: `exit 1${told}` });
    },
  );

  it('knows the check that was running when nothing more was heard of it', async () => {
    const { machine } = await onTrial([]);
    const effects = overriding(machine.effects, {
      runProgram: (path) =>
        path.endsWith('50-database')
          ? Promise.reject(new Error('the power is gone'))
          : machine.effects.runProgram(path, 1),
    });
    await expect(bootComplete({ ...machine, effects }, settings)).rejects.toThrow('power');
    const attempts = await readAttempts(machine.files, attemptsFile(machine, deploymentB));
    const evidence = { running: { skipped: [], watchdogFired: false }, block: 2, tries: 0 };
    expect(explainFallBack({ ...evidence, attempts })).toBe(
      'it stopped: userspace came up, its health check 50-database did not end; no tries were left',
    );
  });

  it('is not failed by a data partition that is full', async () => {
    const { world, machine } = await onTrial([]);
    const full = refusing(world, 'ENOSPC');
    expect(await bootComplete({ ...machine, files: full }, settings)).toMatchObject({
      kind: 'confirmed',
    });
    expect(notes.join('\n')).toMatch(/log of the trial can not be written: ENOSPC/);
  });

  it.each(['EROFS', 'EIO'])(
    'S11: is neither confirmed nor failed when writing to its data ends in %s',
    async (code) => {
      const { world, machine } = await onTrial(['web']);
      let reboots = 0;
      const effects = overriding(machine.effects, {
        reboot: async () => {
          reboots += 1;
        },
      });
      // From the start, or while the checks run: that may be why they fail.
      const files = refusing(world, code);
      const late = overriding(world.files, {
        appendFile: (path, bytes, mode) =>
          (bytes.toString().includes(' health ') ? files : world.files).appendFile(
            path,
            bytes,
            mode,
          ),
      });
      for (const broken of [files, late]) {
        expect(await bootComplete({ ...machine, files: broken, effects }, settings)).toEqual({
          kind: 'postponed',
        });
        expect(await world.boot.readChoice()).toMatchObject({ trial: { block: 2, tries: 2 } });
      }
      expect(reboots).toBe(0);
    },
  );
});

/** Files of pine's own folder that can't be written. */
function refusing(world: World, code: string) {
  const refuse = async (path: string) => {
    if (path.startsWith('/data/')) throw Object.assign(new Error(`${code}: refused`), { code });
  };
  return overriding(world.files, {
    appendFile: async (path, bytes, mode) =>
      (await refuse(path)) ?? world.files.appendFile(path, bytes, mode),
    writeFile: async (path, bytes, mode) =>
      (await refuse(path)) ?? world.files.writeFile(path, bytes, mode),
  });
}

async function stateAfter(machine: Machine, [event]: readonly [{ kind: 'armed' }]) {
  const commit = releases.v2.checksum;
  const armed = { time: 1, ...event, deployment: deploymentB, slot: 'b', commit } as const;
  await writeState(machine, { history: [{ ...armed, version: '2', reason: '' }], held: [] });
  await bootComplete(machine, settings);
  return (await readSituation(machine)).state;
}
