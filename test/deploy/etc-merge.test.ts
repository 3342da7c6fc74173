import { beforeAll, expect, it } from 'vitest';
import { previewConflicts } from '../../src/deploy/etc/preview-etc.ts';
import { readConflicts } from '../../src/deploy/etc/records.ts';
import { resolveConflict } from '../../src/deploy/etc/resolve.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { finalizeStaged } from '../../src/deploy/staging/finalize.ts';
import { readStatus } from '../../src/deploy/status.ts';
import { heldPlan } from '../../src/deploy/upgrade/plan-store.ts';
import { survey } from '../../src/deploy/upgrade/survey.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import { keepAll } from '../crash/world/loss.ts';
import { overriding } from '../crash/world/overriding.ts';
import { makeRelease } from '../crash/world/release.ts';
import { makeReleases, upgradeOptions } from '../crash/world/releases.ts';
import { remoteOf } from '../crash/world/remote.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from '../crash/world/world.ts';
import { codeOfAsync } from '../support/code-of.ts';

const etc = `/data/etc/${deploymentA}`;
const shipped = (version: string) => ({
  sshd_config: `Port 22\n\n\nCiphers ${version}\n`,
  issue: `release ${version}\n`,
  profile: 'umask 022\n',
});

let before: World;
let options: ReturnType<typeof upgradeOptions>;
beforeAll(async () => {
  const releases = await makeReleases();
  const make = (version: string, timestamp: number) =>
    makeRelease({
      ...{ version, timestamp, key: releases.keys.secretKey },
      objects: { libc: 300_000, [version]: 50_000 },
      etc: shipped(version),
    });
  const [one, two] = [await make('1', 200), await make('2', 300)];
  options = { ...upgradeOptions(releases), remote: remoteOf(two) };
  before = await makeWorld({ a: one, b: undefined, order: [1] });
  const put = (name: string, text: string) =>
    before.files.writeFile(`${etc}/${name}`, Buffer.from(text), 0o644);
  await put('sshd_config', 'Port 2222\n\n\nCiphers 1\n');
  await put('issue', 'go away\n');
  await put('profile', 'umask 022\n');
  before.files.settleAll();
});

const begin = async () => afterCut(before, keepAll);

async function read(world: World, path: string): Promise<string | undefined> {
  return (await world.files.readFile(path, 1000))?.toString();
}

/** The machine after the upgrade, with the new deployment running. */
async function upgraded(): Promise<{ world: World; id: string }> {
  const world = await begin();
  const { deployment: id = '' } = await upgrade(machineOf(world), options);
  return { world: afterCut(world, keepAll), id };
}

it('S8: an upgrade merges lines, and what it can not merge stays as it is, with the release beside it', async () => {
  const { world, id } = await upgraded();
  expect(await read(world, `/data/etc/${id}/sshd_config`)).toBe('Port 2222\n\n\nCiphers 2\n');
  expect(await read(world, `/data/etc/${id}/issue`)).toBe('go away\n');
  expect(await read(world, `/data/etc/${id}/issue.pine-new`)).toBe('release 2\n');
  expect(await read(world, `/data/etc/${id}/hostname`)).toBe('web1\n');
  // Rolling back finds the old /etc byte for byte, mode for mode.
  expect(world.files.describe(etc)).toEqual(before.files.describe(etc));
});

it('S8: what will be in conflict is told before anything is written, and --strict refuses it', async () => {
  const world = await begin();
  const preview = await previewUpgrade(machineOf(world), { ...options, plan: true });
  expect(preview.conflicts).toMatchObject([
    { path: 'issue', reason: 'lines', beside: 'issue.pine-new' },
  ]);
  expect(world.power.log).toEqual([]);
  await codeOfAsync(
    () => upgrade(machineOf(world), { ...options, strict: true }),
    'STATE_CONFLICTS',
  );
  const unlike = ({ files, slots }: World) => [files.describe('/data'), slots.b.medium];
  expect(unlike(world)).toEqual(unlike(before));
  await world.files.writeFile(`${etc}/issue`, Buffer.from('release 1\n'), 0o644);
  expect(await upgrade(machineOf(world), { ...options, strict: true })).toMatchObject({
    kind: 'armed',
  });
});

it('fetches for that only what of /etc differs', async () => {
  const world = await begin();
  const remote = options.remote;
  const opened: number[] = [];
  const counting = {
    ...remote,
    objects: {
      open(checksum: string, length: number) {
        opened.push(length);
        return remote.objects.open(checksum, length);
      },
    },
  };
  await previewUpgrade(machineOf(world), { ...options, remote: counting, plan: true });
  expect(opened.every((length) => length < 100)).toBe(true);
  expect(opened.length).toBeLessThanOrEqual(3);
});

it('status tells of a conflict until it is settled, one way or the other', async () => {
  const running = (id: string) => ({ running: { deployment: id, slot: 'b', block: 2 } }) as const;
  for (const side of ['keep', 'take'] as const) {
    const { world, id } = await upgraded();
    const machine = machineOf(world, running(id));
    expect((await readStatus(machine, [])).conflicts).toMatchObject([{ path: 'issue' }]);
    await codeOfAsync(() => resolveConflict(machine, 'profile', side), 'NOT_FOUND_CONFLICT');
    await resolveConflict(machine, 'issue', side);
    expect((await readStatus(machine, [])).conflicts).toEqual([]);
    expect(await readConflicts(machine, id)).toEqual([]);
    const found = [];
    for (const name of ['issue', 'issue.pine-new', 'issue.pine-old']) {
      found.push(await read(world, `${machine.etc}/${name}`));
    }
    expect(found).toEqual(
      side === 'keep'
        ? ['go away\n', undefined, undefined]
        : ['release 2\n', undefined, 'go away\n'],
    );
  }
  const { world, id } = await upgraded();
  const machine = machineOf(world, running(id));
  await world.files.remove(`${machine.etc}/issue.pine-new`);
  expect((await readStatus(machine, [])).conflicts).toEqual([]);
});

it('S8: where the old default can not be read, what is here stays and what is new comes in', async () => {
  const world = await begin();
  const { a } = world.slots;
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const machine = machineOf(world);
  // The tables of the running image are damaged after the upgrade has begun.
  const remote = {
    ...options.remote,
    resolveRef: async (name: string) => {
      a.medium.fill(0, 8, 96);
      return options.remote.resolveRef(name);
    },
  };
  const { deployment } = await upgrade(machine, { ...options, remote, note });
  expect(notes.join('\n')).toContain("the old default of /etc can't be read");
  expect(await read(world, `/data/etc/${deployment}/issue`)).toBe('go away\n');
  expect(await read(world, `/data/etc/${deployment}/sshd_config`)).toBe(
    'Port 2222\n\n\nCiphers 1\n',
  );
});

/** The machine of `world`, on which `path` is written anew whenever it is read. */
function restless(world: World, path: string, texts: readonly string[]) {
  const left = [...texts];
  const files = overriding(world.files, {
    readAt: async (asked, position, length) => {
      const piece = await world.files.readAt(asked, position, length);
      const text = asked === path ? left.shift() : undefined;
      if (text !== undefined) await world.files.writeFile(path, Buffer.from(text), 0o644);
      return piece;
    },
  });
  return { ...machineOf(world), files };
}

it('S8: what is changed while it is merged is in the new /etc', async () => {
  const world = await begin();
  const { deployment: id = '' } = await upgrade(machineOf(world), { ...options, reboot: false });
  // Compared as it was shipped, so that the release's would count, and edited after that.
  const machine = restless(world, `${etc}/profile`, ['umask 077 # since\n']);
  await finalizeStaged(machine, { hooks: standardHooks, note: () => {} });
  expect(await read(world, `/data/etc/${id}/profile`)).toBe('umask 077 # since\n');
});

it('an /etc that never comes to rest is merged all the same, and that is told', async () => {
  const world = await begin();
  const notes: string[] = [];
  const texts = Array.from({ length: 1000 }, (_, count) => `${'#'.repeat(count)}\n`);
  const machine = restless(world, `${etc}/profile`, texts);
  await upgrade(machine, { ...options, note: (text) => notes.push(text) });
  expect(notes.filter((text) => text.includes('changes all the time'))).toHaveLength(2);
});

it('S9: a plan that is too large to be held in memory is not fetched for looking; the slot tells later', async () => {
  const world = await begin();
  const machine = machineOf(world);
  const found = await survey(machine, await readSituation(machine), options);
  if (found.kind !== 'new') throw new Error(found.kind);
  const plan = { ...found.accepted.plan, size: heldPlan + 1 };
  const large = { ...found, accepted: { ...found.accepted, plan } };
  const fetchPlan = (): AsyncIterable<Uint8Array> => {
    throw new Error('the plan was fetched');
  };
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const remote = { ...options.remote, fetchPlan };
  const looking = { remote, note, store: false };
  expect(await previewConflicts(machine, large, looking)).toBeUndefined();
  expect(notes.join()).toMatch(/only once the new image is here: its plan has 8388609 bytes/);
  // An upgrade that asks before it writes may store it.
  await expect(previewConflicts(machine, large, { ...looking, store: true })).rejects.toThrow(
    'the plan was fetched',
  );
  expect(world.slots.b.written).toBe(false);
});
