import { beforeAll, describe, expect, it } from 'vitest';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { letInByHand, parseLetIn } from '../../../src/deploy/first-trial/let-in.ts';
import { requireFirstTrial } from '../../../src/deploy/first-trial/take-over.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { formatRecord, type TakeOverRecord } from '../../../src/take-over/record.ts';
import { storyHead } from '../../../src/take-over/story.ts';
import { cutEverywhere } from '../../crash/world/every-cut.ts';
import { dropAll, keepAll, randomLoss } from '../../crash/world/loss.ts';
import { makeReleases, type Releases } from '../../crash/world/releases.ts';
import {
  afterCut,
  deploymentA,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

const record: TakeOverRecord = {
  ...{ id: '0123456789abcdef', time: 1_700_000_000, deployment: deploymentA },
  ...{ system: 'Debian GNU/Linux 12', kernel: '6.1', hostName: 'vps', remote: 'r', ref: 'web' },
  ...{ commit: 'c'.repeat(64), confirmAfter: undefined, deadline: 1800 },
  ...{ disk: '/dev/sda', storyAt: 1000 },
};
const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
const running = { choice: 'trial', deadline: 1800 } as const;
const etc = `/data/etc/${deploymentA}`;
const link = `${etc}/runlevels/default/pine-first-login`;
const recordFile = `${etc}/pine/hijack`;

/** What a take-over leaves: one deployment, on trial, and nothing else that was ever confirmed. */
async function afterTakeOver(changes: Partial<TakeOverRecord> = {}): Promise<World> {
  const world = await makeWorld({
    ...{ a: releases.v1, b: undefined, order: [1], trial: { block: 1, tries: 1 } },
  });
  const { files } = world;
  await files.writeFile(recordFile, Buffer.from(formatRecord({ ...record, ...changes })), 0o644);
  await files.makeFolder(`${etc}/runlevels/default`, 0o755);
  await files.makeLink('/etc/init.d/pine-first-login', link);
  await files.makeFolder('/data/pine/attempts', 0o755);
  const log = Buffer.from('1 initramfs\n2 handed-over\n');
  await files.writeFile(`/data/pine/attempts/${deploymentA}.log`, log, 0o644);
  const story = Buffer.alloc(2000);
  story.write(`${storyHead(record.id)}5 start writing\n6 step shrink\n9 done\n`, 1000);
  await files.makeFolder('/dev', 0o755);
  await files.writeFile('/dev/vda', story, 0o600);
  await files.makeFolder('/proc', 0o755);
  await files.writeFile('/proc/uptime', Buffer.from('100.20 50.00\n'), 0o444);
  files.settleAll();
  return afterCut(world, keepAll);
}

const machine = (world: World, more: MachineSettings = {}) => ({
  ...machineOf(world, { ...more, running: { ...running, ...more.running } }),
  disk: '/dev/vda',
});

async function logIn({ files }: World, text: string): Promise<void> {
  await files.makeFolder('/run/pine', 0o755);
  await files.writeFile('/run/pine/let-in', Buffer.from(`${text}\n`), 0o644);
}

const isConfirmed = async (world: World) =>
  (await world.boot.readChoice())?.trial === undefined &&
  (await world.files.status('/run/pine/confirmed')) !== undefined;

describe('the first trial of a take-over', () => {
  it('waits for a login once its health checks have passed, and tells until when', async () => {
    const world = await afterTakeOver();
    const until = 1_800_000_000 - 100 + 1800;
    const waiting = { since: 1_800_000_000, until, confirmAfter: undefined };
    expect(await bootComplete(machine(world), settings)).toEqual({ kind: 'waiting', ...waiting });
    expect(await isConfirmed(world)).toBe(false);
    const status = await readStatus(machine(world), []);
    expect(status.trial).toMatchObject({ state: 'running', waiting });
    expect(status.takeOver).toMatchObject({
      record,
      runs: [{ end: 'done', steps: [{ name: 'shrink', seconds: 3 }] }],
    });
    const notice = (await world.files.readFile('/run/pine/notice', 4096))?.toString();
    expect(notice).toContain('a login over SSH confirms it');
  });

  it('is confirmed by a login, does not run its health checks again, and keeps the story', async () => {
    const world = await afterTakeOver();
    await bootComplete(machine(world), settings);
    await logIn(world, 'login root publickey 10.0.2.2');
    const check = () => {
      throw new Error('checked twice');
    };
    expect(await bootComplete(machine(world, { check }), settings)).toMatchObject({
      kind: 'confirmed',
      checks: [{ name: 'web', passed: true }],
    });
    expect(await isConfirmed(world)).toBe(true);
    const { takeOver, history } = await readStatus(machine(world), []);
    const by = 'a login of root by publickey from 10.0.2.2';
    expect(takeOver).toMatchObject({ confirmed: { by }, record, runs: [{ end: 'done' }] });
    expect(history.at(-1)).toMatchObject({ kind: 'confirmed', reason: `confirmed by ${by}` });
    expect(await world.files.status(recordFile)).toBeUndefined();
    expect(await world.files.status(link)).toBeUndefined();
  });

  it('does not count a login when a required check fails', async () => {
    const world = await afterTakeOver();
    await logIn(world, 'login root publickey 10.0.2.2');
    const check = () => ({ passed: false, detail: 'exit 1' });
    const outcome = await bootComplete(machine(world, { check }), settings);
    expect(outcome.kind).toBe('failed');
    expect(await isConfirmed(world)).toBe(false);
  });

  it('is confirmed at once by a login that came before its health checks passed', async () => {
    const world = await afterTakeOver();
    await logIn(world, 'login admin');
    expect(await bootComplete(machine(world), settings)).toMatchObject({ kind: 'confirmed' });
  });

  it('is confirmed without one where that was allowed, and by hand', async () => {
    const atOnce = await afterTakeOver({ confirmAfter: 0 });
    expect(await bootComplete(machine(atOnce), settings)).toMatchObject({ kind: 'confirmed' });
    const later = await afterTakeOver({ confirmAfter: 600 });
    expect(await bootComplete(machine(later), settings)).toMatchObject({
      ...{ kind: 'waiting', confirmAfter: 600 },
    });
    expect((await later.files.readFile('/run/pine/waiting', 200))?.toString()).toMatch(
      /^confirm_after=600$/m,
    );
    await logIn(later, 'time 600');
    expect(await bootComplete(machine(later), settings)).toMatchObject({ kind: 'confirmed' });
    const byHand = await afterTakeOver();
    await letInByHand(machine(byHand));
    expect(await bootComplete(machine(byHand), settings)).toMatchObject({ kind: 'confirmed' });
  });

  it('starts over with the next boot: what was seen before a power cut does not count', async () => {
    const world = await afterTakeOver();
    await bootComplete(machine(world), settings);
    await logIn(world, 'login root');
    world.files.settleAll();
    const next = afterCut(world, keepAll);
    await next.files.remove('/run/pine'); // in memory
    expect(await bootComplete(machine(next), settings)).toMatchObject({ kind: 'waiting' });
  });

  it('says why it was left when nobody logged in', async () => {
    const world = await afterTakeOver();
    await bootComplete(machine(world), settings);
    const log = `/data/pine/attempts/${deploymentA}.log`;
    const text = (await world.files.readFile(log, 9999))?.toString();
    expect(text).toMatch(/ waiting for a login\n$/);
  });

  it('is whole after a power cut at any write of its confirmation', async () => {
    const begin = () => afterTakeOver();
    const losses = (cut: number) => [keepAll, dropAll, randomLoss(cut)];
    const operation = async (world: World) => {
      await logIn(world, 'login root');
      expect(await bootComplete(machine(world), settings)).toMatchObject({ kind: 'confirmed' });
    };
    const judge = async (world: World) => {
      await world.files.remove('/run/pine'); // in memory
      const { kind } = await bootComplete(machine(world), settings);
      const { takeOver } = await readStatus(machine(world), []);
      const by = takeOver?.confirmed?.by;
      if (takeOver?.record.id !== record.id) return ['the take-over is forgotten'];
      if (kind === 'waiting')
        return by === undefined ? [] : ['it waits, and is told to be confirmed'];
      if (by !== 'a login of root') return [`${kind}, by ${by}`];
      const left = await world.files.status(recordFile);
      return left === undefined ? [] : ['the record is still in /etc'];
    };
    const result = await cutEverywhere({ begin, operation, losses, judge });
    expect(result.problems).toEqual([]);
    expect(result.writes).toBeGreaterThan(10);
  });
});

describe('any other trial', () => {
  it('is confirmed by its health checks, whatever the take-over left in /etc', async () => {
    const { v1, v2 } = releases;
    const world = await makeWorld({ a: v1, b: v2, order: [1, 2], trial: { block: 1, tries: 1 } });
    await world.files.writeFile(recordFile, Buffer.from(formatRecord(record)), 0o644);
    expect(await bootComplete(machine(world), settings)).toMatchObject({ kind: 'confirmed' });
    const only = await afterTakeOver({ deployment: 'another' });
    expect(await bootComplete(machine(only), settings)).toMatchObject({ kind: 'confirmed' });
  });

  it('can not be confirmed by hand', async () => {
    const { v1, v2 } = releases;
    const world = await makeWorld({ a: v1, b: v2, order: [1, 2], trial: { block: 1, tries: 1 } });
    await codeOfAsync(() => requireFirstTrial(machine(world)), 'STATE_NOT_ON_TRIAL');
    await requireFirstTrial(machine(await afterTakeOver()));
  });
});

it('takes nothing for a login that the service does not write', () => {
  expect(parseLetIn('login root publickey 10.0.2.2\n')).toEqual({
    ...{ kind: 'login', name: 'root', how: ' by publickey from 10.0.2.2' },
  });
  expect(parseLetIn('login admin\n')).toEqual({ kind: 'login', name: 'admin', how: '' });
  expect(parseLetIn('time 600')).toEqual({ kind: 'time', seconds: 600 });
  expect(parseLetIn('hand')).toEqual({ kind: 'hand' });
  for (const text of ['', 'login', 'login \x1b[2J', 'time soon', 'hand over', 'logout root']) {
    expect(parseLetIn(text)).toBeUndefined();
  }
});
