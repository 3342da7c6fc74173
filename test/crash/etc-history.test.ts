import { beforeAll, describe, expect, it } from 'vitest';
import { recordBoot, recordEtc } from '../../src/deploy/etc-history/record-etc.ts';
import type { Machine } from '../../src/deploy/machine.ts';
import { prune } from '../../src/etc/history/prune.ts';
import { HistoryRepository } from '../../src/etc/history/repository.ts';
import type { FileSystem } from '../../src/ports/file-system.ts';
import { type CutResult, cutEverywhere } from './world/every-cut.ts';
import { dropAll, keepAll, type Loss, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { makeReleases, type Releases } from './world/releases.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from './world/world.ts';

let releases: Releases;
beforeAll(async () => {
  releases = await makeReleases();
});

const etc = `/data/etc/${deploymentA}`;
const folder = '/data/pine/etc.git';
const losses = (cut: number) => [dropAll, randomLoss(cut)];
const boot = (machine: Machine, keep = 100) =>
  recordEtc(machine, { kind: 'boot' }, { keep, note: () => {} });

/** A machine whose /etc was recorded `count` times, with a change that was not yet. */
async function recorded(count: number): Promise<World> {
  const world = await makeWorld({ a: releases.v1, b: undefined, order: [1] });
  for (let edit = 0; edit <= count; edit += 1) {
    await world.files.writeFile(`${etc}/motd`, Buffer.from(`edit ${edit}\n`), 0o644);
    if (edit < count) await boot(machineOf(world));
  }
  world.files.settleAll();
  return world;
}

/** What is wrong with the history after a cut. It may lack what was being recorded, and nothing else. */
async function judge(after: World, revisions: number): Promise<readonly string[]> {
  const broken: string[] = [];
  const repository = await HistoryRepository.open(after.files, folder);
  if (repository === undefined) return revisions === 0 ? [] : ['S7: the history is gone'];
  // Everything that a branch leads to is read: this throws when something is missing or torn.
  await prune(repository, { keep: 1000, verify: true });
  const tip = await repository.tip('machine');
  let count = 0;
  if (tip !== undefined) for await (const _ of repository.history(tip)) count += 1;
  if (count < revisions) broken.push(`S7: ${count} revisions are left of ${revisions}`);
  return broken;
}

/** What a machine that was cut does at its next boot, and what the history must then say. */
async function nextBoot(after: World): Promise<readonly string[]> {
  const notes: string[] = [];
  const options = { keep: 100, note: (text: string) => void notes.push(text) };
  const { rebuilt } = await recordEtc(machineOf(after), { kind: 'boot' }, options);
  const repository = await HistoryRepository.open(after.files, folder);
  const tip = await repository?.tip('machine');
  if (repository === undefined || tip === undefined) return ['S7: run again, it records nothing'];
  const { tree } = await repository.revision(tip);
  const motd = (await repository.readTree(tree)).find(({ name }) => name === 'motd');
  const recordedMotd = motd && (await repository.readBlob(motd.id));
  const present = await after.files.readFile(`${etc}/motd`, 1000);
  const broken = rebuilt ? ['S7: the history was taken for damaged'] : [];
  if (present === undefined || !recordedMotd?.equals(present)) broken.push('S7: not recorded');
  return broken;
}

interface Row {
  readonly what: string;
  /** How often /etc was recorded before. */
  readonly before: number;
  readonly operation: (machine: Machine) => Promise<unknown>;
  /** What must be left of what was recorded before. */
  readonly kept: number;
}

const rows: readonly Row[] = [
  { what: 'the first record', before: 0, operation: (machine) => boot(machine), kept: 0 },
  { what: 'a record of a change', before: 2, operation: (machine) => boot(machine), kept: 2 },
  { what: 'one that prunes', before: 5, operation: (machine) => boot(machine, 2), kept: 2 },
];

function cut(
  before: World,
  { kept, operation }: Pick<Row, 'kept' | 'operation'>,
  {
    wrap = (files) => files,
    loss = losses,
    until,
  }: {
    readonly wrap?: (files: FileSystem) => FileSystem;
    readonly loss?: (cut: number) => readonly Loss[];
    readonly until?: RegExp;
  } = {},
): Promise<CutResult> {
  return cutEverywhere({
    begin: async () => afterCut(before, keepAll),
    operation: (world) => operation({ ...machineOf(world), files: wrap(world.files) }),
    losses: loss,
    judge: async (after) => [...(await judge(after, kept)), ...(await nextBoot(after))],
    ...(until && { until }),
  });
}

describe('the history of /etc, cut at every write', () => {
  it.each(rows)('S6 S7: $what', async (row) => {
    const { writes, states, problems } = await cut(await recorded(row.before), row);
    console.info(`${row.what}: ${writes} writes, ${states} states judged`);
    expect(problems).toEqual([]);
  });
});

describe('mutations that the judge catches', () => {
  const change = { kept: 2, operation: (machine: Machine) => boot(machine) };

  it('S6: objects that are not durable before the branch names them', async () => {
    const lazy = (files: FileSystem) =>
      overriding(files as FileSystem & object, { syncAll: async () => {} });
    const { problems } = await cut(await recorded(2), change, {
      wrap: lazy,
      loss: () => [dropAll],
      until: /damaged/,
    });
    expect(problems.join()).toMatch(/the history of \/etc is damaged/);
  });

  it('S7: a branch that is written in place', async () => {
    const inPlace = (files: FileSystem) =>
      overriding(files as FileSystem & object, {
        rename: async (from: string, to: string) => {
          if (!to.includes('/refs/')) return files.rename(from, to);
          await files.writeFile(to, (await files.readFile(from, 1000)) ?? Buffer.alloc(0), 0o600);
        },
      });
    const { problems } = await cut(await recorded(2), change, { wrap: inPlace, until: /damaged/ });
    expect(problems.join()).toMatch(/the history of \/etc is damaged/);
  });

  it('S7: pruning that removes objects before the history is cut', async () => {
    const early = (files: FileSystem) =>
      overriding(files as FileSystem & object, {
        rename: async (from: string, to: string) => {
          if (!to.endsWith('/shallow')) await files.rename(from, to);
        },
      });
    const pruning = { kept: 2, operation: (machine: Machine) => boot(machine, 2) };
    const { problems } = await cut(await recorded(5), pruning, {
      wrap: early,
      loss: () => [keepAll],
      until: /damaged/,
    });
    expect(problems.join()).toMatch(/damaged/);
  });
});

describe('an ordinary boot', () => {
  it('lets everything else go first before it asks for the lock', async () => {
    const machine = machineOf(await recorded(1));
    const done: string[] = [];
    const effects = {
      ...machine.effects,
      giveWay: () => void done.push('gave way'),
      lock: () => {
        done.push('asked for the lock');
        return machine.effects.lock();
      },
    };
    await recordBoot({ ...machine, effects }, { keep: 100, note: () => {} });
    expect(done).toEqual(['gave way', 'asked for the lock']);
  });

  it('writes nothing to the history when nothing was changed', async () => {
    const world = await recorded(1);
    await boot(machineOf(world));
    const writes = world.power.writes;
    expect(await boot(machineOf(world))).toEqual({ revision: null, rebuilt: false });
    expect(world.power.writes).toBe(writes);
  });
});
