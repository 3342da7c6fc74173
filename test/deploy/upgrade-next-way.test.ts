import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { nothing } from '../../src/delta/delta-path.ts';
import { readStatus } from '../../src/deploy/status.ts';
import type { UpgradeRemote } from '../../src/deploy/upgrade/survey.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import { type ErrorCode, PineError } from '../../src/error.ts';
import {
  deltasRemote,
  makeDeltaOfObjects,
  makeFullDelta,
  type OfferedDelta,
} from '../crash/world/delta.ts';
import { cutEverywhere } from '../crash/world/every-cut.ts';
import { judge, slotProblem } from '../crash/world/judge.ts';
import { dropAll, keepAll, randomLoss } from '../crash/world/loss.ts';
import { overriding } from '../crash/world/overriding.ts';
import { contentOf } from '../crash/world/release.ts';
import { makeReleases, type Releases, upgradeOptions } from '../crash/world/releases.ts';
import { missing, remoteOf } from '../crash/world/remote.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from '../crash/world/world.ts';
import { codeOfAsync } from '../support/code-of.ts';

let releases: Releases;
let base: World;
/** v0 runs; v2 is wanted, and files are less than the full delta. */
let full: OfferedDelta;
let direct: OfferedDelta;

beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2, keys } = releases;
  base = await makeWorld({ a: v0, b: v1, order: [1, 2] });
  const to = v2.checksum;
  const files = v2.image.length + v2.plan.length;
  full = { from: nothing, to, bytes: await makeFullDelta(v2, [keys.secretKey]), files };
  const bytes = await makeDeltaOfObjects(v0, v2, [keys.secretKey]);
  direct = { from: v0.checksum, to, bytes, files: 1000 };
});

const offered = (...deltas: OfferedDelta[]) => deltasRemote(releases.v2.checksum, deltas);

function options(changes: Partial<UpgradeRemote>, notes: string[] = []) {
  const remote = remoteOf(releases.v2, changes);
  return { ...upgradeOptions(releases), remote, note: (text: string) => notes.push(text) };
}

async function upgradeWith(changes: Partial<UpgradeRemote>, world = afterCut(base, keepAll)) {
  const notes: string[] = [];
  const outcome = await upgrade(machineOf(world), options(changes, notes));
  expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  expect(await world.files.status('/data/pine/deltas')).toBeUndefined();
  const [, slot] = (await readStatus(machineOf(world), [])).slots;
  return { notes: notes.join('\n'), outcome, origin: slot?.contents?.origin };
}

/** The largest object of v2, and the last but for /etc: most of the slot is written when it is asked for. */
const isLast = (length: number) => length === 800 * 1024;

function failing(code: ErrorCode): PineError {
  const details = { expected: 'sound bytes', found: 'others', where: 'memory', remedy: 'none' };
  return new PineError(code, 'it is not right', details);
}

/** A remote that begins to give the last object, and ends with this error. */
function withoutLast(error: () => PineError): Pick<UpgradeRemote, 'objects'> {
  const { objects } = remoteOf(releases.v2);
  return {
    objects: {
      async *open(checksum, length) {
        if (!isLast(length)) {
          yield* objects.open(checksum, length);
          return;
        }
        yield contentOf('three', 700_000);
        throw error();
      },
    },
  };
}

const withoutPlan = (error: () => PineError): Pick<UpgradeRemote, 'fetchPlan'> => ({
  // biome-ignore lint/correctness/useYield: it has none
  async *fetchPlan() {
    throw error();
  },
});

describe('when files can not be had, the next way is taken', () => {
  it.each<[string, () => PineError]>([
    ['is not there', () => missing('an object')],
    ['is damaged', () => failing('CORRUPT_OBJECT')],
    ['is not given to us', () => failing('REMOTE_REFUSED')],
    ['changed meanwhile', () => failing('REMOTE_CHANGED')],
  ])('while the slot is written: one %s', async (_, error) => {
    const lacking = withoutLast(error);
    const { notes, origin } = await upgradeWith({ ...offered(full), ...lacking });
    const why = error();
    expect(notes).toBe(
      `files are not used: ${why.message}: expected ${why.details.expected}, found ${why.details.found} (memory)`,
    );
    expect(origin).toMatchObject({ way: 'full', deltas: 1, resumedAt: 0 });
    const cheaper = await upgradeWith({ ...offered(direct, full), ...lacking });
    expect(cheaper.origin).toMatchObject({ way: 'delta', deltas: 1, resumedAt: 0 });
  });

  it('also where no list tells of the full delta', async () => {
    const remote = { ...offered(full), ...withoutLast(() => missing('an object')) };
    const { origin } = await upgradeWith({ ...remote, fetchDeltaIndex: async () => undefined });
    expect(origin).toMatchObject({ way: 'full' });
  });

  it.each<[string, () => PineError, string]>([
    ['is not there', () => missing('a plan'), 'a plan'],
    ['is damaged', () => failing('CORRUPT_PLAN'), 'sound bytes'],
    ['is not given to us', () => failing('REMOTE_REFUSED'), 'sound bytes'],
  ])('before the slot changes: the plan %s', async (_, error, expected) => {
    const unusable = { ...direct, bytes: Buffer.alloc(9) };
    const remote = { ...offered(unusable, full), ...withoutPlan(error) };
    const { notes, origin } = await upgradeWith(remote);
    expect(notes).toMatch(new RegExp(`^files are not used: .*: expected ${expected}, found`, 'm'));
    expect(origin).toMatchObject({ way: 'full', deltas: 1 });
    const plan = { ...options(remote), plan: true };
    const { ways } = await previewUpgrade(machineOf(afterCut(base, keepAll)), plan);
    expect(ways?.[0]?.kind).toBe('full');
    expect(ways?.find(({ kind }) => kind === 'files')?.refusal).toMatch(`expected ${expected}`);
  });

  it('and the running slot is damaged besides: what needs nothing of it', async () => {
    const world = afterCut(base, keepAll);
    const { medium } = world.slots.a;
    medium[200_000] = (medium[200_000] ?? 0) ^ 1;
    const remote = { ...offered(direct, full), ...withoutLast(() => missing('an object')) };
    const { notes, origin } = await upgradeWith(remote, afterCut(world, keepAll));
    expect(notes).toMatch(/^files are not used.*\n.*fetching the whole image/);
    expect(origin).toMatchObject({ way: 'full', deltas: 1, resumedAt: 0 });
  });

  it('where there is none, it ends with what was wrong with files, and can be gone on with', async () => {
    const bytes = Buffer.from(full.bytes);
    bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 1;
    const lacking = { ...offered({ ...full, bytes }), ...withoutLast(() => missing('an object')) };
    const world = afterCut(base, keepAll);
    const notes: string[] = [];
    const often = { ...options(lacking, notes), checkpointBytes: 64 * 1024 };
    const run = () => upgrade(machineOf(world), often);
    await codeOfAsyncOf(run, 'NOT_FOUND_REMOTE_FILE');
    expect(notes.join('\n')).toMatch(/^files are not used.*\nthe full delta is not used: a delta/);
    // S2: the slot is not bootable.
    expect(await world.boot.readChoice()).toEqual({ order: [1] });
    const { outcome } = await upgradeWith({}, world);
    expect(outcome.resumedAt).toBeGreaterThan(0);
  });

  it('S7: a transfer of the full delta that breaks off is gone on with', async () => {
    const world = afterCut(base, keepAll);
    const half = full.bytes.length / 2;
    const lacking = { ...offered(full), ...withoutLast(() => missing('an object')) };
    const breaking: UpgradeRemote['fetchDelta'] = async function* () {
      for (let at = 0; at < half; at += 1000) yield full.bytes.subarray(at, at + 1000);
      throw failing('REMOTE_BROKEN');
    };
    const run = () => upgrade(machineOf(world), options({ ...lacking, fetchDelta: breaking }));
    await codeOfAsync(run, 'REMOTE_BROKEN');
    const asked: number[] = [];
    const fetchDelta: UpgradeRemote['fetchDelta'] = (ends, range) => {
      asked.push(range.from);
      return lacking.fetchDelta(ends, range);
    };
    await upgradeWith({ ...lacking, fetchDelta }, world);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(0);
  });

  it('S1 S2 S3 S7: cut at every write, it boots what it booted and ends the same when run again', async () => {
    const remote = () => ({ ...offered(full), ...withoutLast(() => missing('an object')) });
    const operation = (world: World) => upgrade(machineOf(world), options(remote()));
    const begin = async () => afterCut(base, keepAll);
    const describeWorld = ({ slots, boot, files }: World) =>
      [
        boot.disk.medium.toString('base64'),
        createHash('sha256').update(slots.b.medium).digest('hex'),
        ...files.describe('/data').filter((line) => !line.includes('/pine/origins/')),
      ].join('\n');
    const whole = await begin();
    await operation(whole);
    const expected = describeWorld(whole);
    const choices = [
      { order: [1, 2] },
      { order: [1] },
      { order: [2, 1], trial: { block: 2, tries: 2 } },
    ];
    const { writes, states, problems } = await cutEverywhere({
      begin,
      operation,
      losses: (cut) => [[keepAll, dropAll, randomLoss(cut)][cut % 3] ?? keepAll],
      judge: async (after) => {
        const expectation = { before: base, running: 1, choices, etc: deploymentA };
        const broken = await judge(after, expectation);
        await operation(after);
        const end = describeWorld(after);
        return end === expected ? broken : [...broken, 'S7: run again, it ends differently'];
      },
    });
    console.info(`files, then the full delta: ${writes} writes, ${states} states judged`);
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(60);
  });
});

/** For errors of a remote in memory, which have no remedy. */
async function codeOfAsyncOf(run: () => Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(run()).rejects.toMatchObject({ code });
}

describe('half of a plan does not stay on the data partition', () => {
  it.each<[string, UpgradeRemote['fetchPlan'], ErrorCode]>([
    ['is not there', withoutPlan(() => missing('a plan')).fetchPlan, 'NOT_FOUND_REMOTE_FILE'],
    [
      'breaks off',
      async function* () {
        yield releases.v2.plan.subarray(0, 100);
        throw failing('REMOTE_BROKEN');
      },
      'REMOTE_BROKEN',
    ],
  ])('when it %s', async (_, fetchPlan, code) => {
    const world = afterCut(base, keepAll);
    await codeOfAsyncOf(() => upgrade(machineOf(world), options({ fetchPlan })), code);
    expect((await world.files.readFolder('/data/pine/plans'))?.join()).not.toContain('.new');
  });

  it('also when the disk is full', async () => {
    const world = afterCut(base, keepAll);
    const files = overriding(world.files, {
      appendFile: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    });
    const run = upgrade({ ...machineOf(world), files }, options({}));
    await expect(run).rejects.toMatchObject({ code: 'ENOSPC' });
    expect((await world.files.readFolder('/data/pine/plans'))?.join()).not.toContain('.new');
  });
});

describe('--plan does not say that a delta is not there when no list tells', () => {
  it.each<[string, Buffer | undefined, RegExp]>([
    ['is missing', undefined, /^$/],
    ['is empty', Buffer.alloc(0), /^the list of deltas is not used: .* expected .*found ""/],
    ['is a page', Buffer.from('<html>'), /^the list of deltas is not used: .* found "<html>"/],
    ['was cut', Buffer.from('pine-deltas 1\n'), /^the list of deltas is not used: /],
  ])('that %s', async (_, list, note) => {
    const why =
      list === undefined ? 'the remote has no list of deltas' : 'the list of deltas is damaged';
    const notes: string[] = [];
    const remote = { ...offered(full), fetchDeltaIndex: async () => list };
    const plan = { ...options(remote, notes), plan: true };
    const { ways = [] } = await previewUpgrade(machineOf(afterCut(base, keepAll)), plan);
    const refusals = new Map(ways.map(({ kind, refusal = '' }) => [kind, refusal]));
    expect(refusals.get('full')).toBe(`none is listed (${why})`);
    expect(refusals.get('chain')).toBe(
      `none that lead here one after the other are listed (${why})`,
    );
    expect(notes.join('\n')).toMatch(note);
    if (list === undefined) return;
    const { notes: told } = await upgradeWith(remote);
    expect(told).toMatch(note);
    expect(told).toContain(`memory/pine/deltas/${releases.v2.checksum.slice(0, 12)}…/index`);
  });
});

it('a reason says what was expected, what was found, and of a chain which delta', async () => {
  const { v0, v1, v2, keys } = releases;
  const [first, second] = [
    {
      from: v0.checksum,
      to: v1.checksum,
      bytes: await makeDeltaOfObjects(v0, v1, [keys.secretKey]),
    },
    { from: v1.checksum, to: v2.checksum, bytes: Buffer.alloc(700) },
  ];
  const remote = offered({ ...first, files: 10_000_000 }, second);
  const { notes } = await upgradeWith(remote);
  const [from, to] = [v1, v2].map(({ checksum }) => `${checksum.slice(0, 12)}…`);
  const where = `(memory/pine/deltas/${to}/${from}.delta)`;
  expect(notes).toMatch(
    /^the chain of deltas is not used: a delta is damaged: expected .*, found .*/,
  );
  expect(notes).toContain(where);
  const plan = { ...options(remote), plan: true };
  const { ways } = await previewUpgrade(machineOf(afterCut(base, keepAll)), plan);
  expect(ways?.find(({ kind }) => kind === 'chain')?.refusal).toContain(where);
});

it('NOT_FOUND_WAY names the remote or the bundle', async () => {
  const run = (changes: Partial<UpgradeRemote>) => () =>
    upgrade(machineOf(afterCut(base, keepAll)), options({ noFiles: 'it has none', ...changes }));
  const remote = await codeOfAsync(run({}), 'NOT_FOUND_WAY');
  expect(remote.details.where).toBe('the remote memory');
  const bundle = await codeOfAsync(run({ kind: 'bundle', name: 'm4.b' }), 'NOT_FOUND_WAY');
  expect(bundle.details.where).toBe('the bundle m4.b');
});
