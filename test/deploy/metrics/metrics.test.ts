import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import { formatMetrics } from '../../../src/deploy/metrics/exposition.ts';
import { statusMetrics } from '../../../src/deploy/metrics/status-metrics.ts';
import { writeMetrics } from '../../../src/deploy/metrics/write-metrics.ts';
import { pin } from '../../../src/deploy/pins/pin.ts';
import { readStatus, type Status } from '../../../src/deploy/status.ts';
import { upgrade } from '../../../src/deploy/upgrade.ts';
import { cutEverywhere } from '../../crash/world/every-cut.ts';
import { dropAll, keepAll } from '../../crash/world/loss.ts';
import { upgradeOptions } from '../../crash/world/releases.ts';
import { settledMachine } from '../../crash/world/settled.ts';
import { afterCut, machineOf, type World } from '../../crash/world/world.ts';
import fc from '../../support/fast-check.ts';
import { readMetrics } from '../../support/prometheus-text.ts';
import { missing } from '../../support/requirements.ts';

const { releases, fresh } = await settledMachine();
const statusOf = (world: World) =>
  readStatus(machineOf(world), [
    { ...releases.keys.publicKey, name: '/etc/pine/keys/release.pub' },
  ]);
const textOf = (status: Status) => formatMetrics(statusMetrics(status));
/** The only sample of a metric that has these labels. */
function sampleOf(status: Status, name: string, labels: Readonly<Record<string, string>> = {}) {
  const found = readMetrics(textOf(status)).filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, value]) => sample.labels.get(key) === value),
  );
  expect(found.length, name).toBeLessThan(2);
  return found[0]?.value;
}

/** A machine after an upgrade that fell back, with a reason that is hard to write down. */
async function fallenBack(reason: string): Promise<World> {
  const world = fresh();
  await upgrade(machineOf(world), upgradeOptions(releases));
  const id = (await world.boot.readDeployment(2))?.id;
  await world.boot.writeChoice({ order: [2, 1], trial: { block: 2, tries: 0 } });
  await world.files.makeFolder('/data/pine/attempts', 0o755);
  const log = Buffer.from(`1800000000 health 50-web failed: ${reason}\n`);
  await world.files.writeFile(`/data/pine/attempts/${id}.log`, log, 0o644);
  const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
  await bootComplete(machineOf(world), settings);
  return world;
}

describe('the metrics of a machine', () => {
  it('tell what runs, what is in the slots and how it came', async () => {
    const world = fresh();
    await upgrade(machineOf(world), { ...upgradeOptions(releases), reboot: false });
    const status = await statusOf(world);
    const ofB = { slot: 'b', booted: 'false' };
    expect(sampleOf(status, 'pine_booted_info', { deployment: 'first', slot: 'a' })).toBe(1);
    const info = { ...ofB, version: '2', commit: releases.v2.checksum, signed_by: 'release.pub' };
    expect(sampleOf(status, 'pine_slot_info', { ...info, from: 'memory', way: 'files' })).toBe(1);
    expect(sampleOf(status, 'pine_slot_fetched_bytes', ofB)).toBe(90_000 + 800 * 1024);
    expect(sampleOf(status, 'pine_slot_fetched_bytes', { slot: 'a' })).toBeUndefined();
    expect(sampleOf(status, 'pine_slot_commit_timestamp_seconds', ofB)).toBe(300);
    expect(sampleOf(status, 'pine_slot_arrival_timestamp_seconds', ofB)).toBe(1_800_000_000);
    expect(sampleOf(status, 'pine_slot_image_bytes', ofB)).toBe(releases.v2.image.length);
    expect(sampleOf(status, 'pine_slot_room_bytes', ofB)).toBeGreaterThan(1_900_000);
    expect(sampleOf(status, 'pine_slot_signed', ofB)).toBe(1);
    expect(sampleOf(status, 'pine_staged')).toBe(1);
    expect(sampleOf(status, 'pine_trial_tries_left')).toBe(0);
    const none = await readStatus(machineOf(world), []);
    expect(sampleOf(none, 'pine_slot_signed', ofB)).toBe(0);
  });

  it('tell of a trial, a fall-back and its reason, what is held and what is pinned', async () => {
    const armed = fresh();
    await upgrade(machineOf(armed), upgradeOptions(releases));
    const waiting = await statusOf(armed);
    expect(sampleOf(waiting, 'pine_trial_state', { state: 'armed' })).toBe(1);
    expect(sampleOf(waiting, 'pine_trial_state', { state: 'running' })).toBe(0);
    expect(sampleOf(waiting, 'pine_trial_tries_left')).toBe(2);
    const world = await fallenBack('exit 1: said "no" in C:\\temp');
    await pin(machineOf(world), 'booted', () => {});
    const status = await statusOf(world);
    const reason = 'health 50-web failed: exit 1: said "no" in C:\\temp; no tries were left';
    expect(sampleOf(status, 'pine_last_rollback_info', { kind: 'fell-back', reason })).toBe(1);
    const at = (kind: string) => sampleOf(status, 'pine_last_event_timestamp_seconds', { kind });
    expect([at('fell-back'), at('armed'), at('confirmed')]).toEqual([
      1_800_000_000,
      1_800_000_000,
      undefined,
    ]);
    expect(sampleOf(status, 'pine_held_commits')).toBe(1);
    expect(sampleOf(status, 'pine_pinned_deployments')).toBe(1);
    expect(sampleOf(status, 'pine_conflicts')).toBe(0);
  });

  it('tell of a slot that is empty and of what is damaged', async () => {
    const world = fresh();
    world.slots.b.medium.fill(0);
    world.boot.disk.medium.fill('x', 0, 512);
    const status = await statusOf(world);
    expect(sampleOf(status, 'pine_slot_readable', { slot: 'b' })).toBe(0);
    expect(sampleOf(status, 'pine_slot_info', { slot: 'b' })).toBeUndefined();
    expect(sampleOf(status, 'pine_state_damaged', { what: 'boot-choice' })).toBe(1);
    expect(sampleOf(status, 'pine_state_damaged', { what: 'state' })).toBe(0);
  });

  it('are all in docs/monitoring.md, with their labels', async () => {
    const documented = readFileSync(
      new URL('../../../docs/monitoring.md', import.meta.url),
      'utf8',
    );
    const rows = documented
      .split('\n')
      .filter((line) => line.startsWith('| `pine_'))
      .map((line) =>
        line
          .split('|')
          .slice(1)
          .map((cell) => cell.trim()),
      );
    const status = await statusOf(await fallenBack('x'));
    const automatic = { time: 1, kind: 'held', detail: 'x' } as const;
    const metrics = statusMetrics({ ...status, automatic });
    expect(metrics.length).toBeGreaterThan(20);
    for (const { name, samples } of metrics) {
      const row = rows.find(([names = '']) => names.includes(`\`${name}\``)) ?? [];
      const labels = row[1]?.split(', ').filter((label) => label !== '');
      expect([name, labels]).toEqual([name, Object.keys(samples[0]?.labels ?? {})]);
    }
  });

  it('come back whatever a label says', () => {
    const anything = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(anything, (text) => {
        const samples = [{ labels: { text, other: 'x' }, value: 1 }];
        const [sample] = readMetrics(formatMetrics([{ name: 'pine_x', help: 'x', samples }]));
        const plain = text.toWellFormed().replace(/(?!\n)\p{Cc}/gu, ' ');
        expect(sample?.labels).toEqual(new Map(Object.entries({ text: plain, other: 'x' })));
      }),
    );
  });

  const promtool = missing('promtool');
  it.skipIf(promtool !== undefined)('are what promtool takes', async () => {
    const world = await fallenBack('exit 1: "x" \\n');
    for (const status of [await statusOf(fresh()), await statusOf(world)]) {
      const { status: code, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: textOf(status),
        encoding: 'utf8',
      });
      expect([stderr, code]).toEqual(['', 0]);
    }
  });
});

it('S6: a file for the collector is the old one or the new one, and the folder has no other', async () => {
  const path = '/data/textfile/pine.prom';
  const begin = async () => {
    const world = fresh();
    await world.files.makeFolder('/data/textfile', 0o755);
    await world.files.writeFile(path, Buffer.from('old\n'), 0o644);
    world.files.settleAll();
    return afterCut(world, keepAll);
  };
  const { problems, states } = await cutEverywhere({
    begin,
    operation: ({ files }) => writeMetrics(files, path, 'new\n'),
    losses: () => [keepAll, dropAll],
    judge: async ({ files }) => {
      const text = (await files.readFile(path, 100))?.toString() ?? 'none';
      const names = (await files.readFolder('/data/textfile')) ?? [];
      const others = names.filter((name) => name.endsWith('.prom') && name !== 'pine.prom');
      return /^(old|new)\n$/.test(text) && others.length === 0 ? [] : [`${text} ${others}`];
    },
  });
  expect(problems).toEqual([]);
  expect(states).toBeGreaterThan(4);
});
