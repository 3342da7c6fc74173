import { describe, expect, it } from 'vitest';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import type { Running } from '../../../src/deploy/machine.ts';
import { pin, unpin } from '../../../src/deploy/pins/pin.ts';
import { rollback } from '../../../src/deploy/rollback.ts';
import { finalizeStaged } from '../../../src/deploy/staging/finalize.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { previewUpgrade, upgrade } from '../../../src/deploy/upgrade.ts';
import { repairOtherSlot } from '../../../src/deploy/verify/repair.ts';
import { change, changesOf } from '../../crash/world/change-arguments.ts';
import { cutEverywhere } from '../../crash/world/every-cut.ts';
import { dropAll, keepAll } from '../../crash/world/loss.ts';
import { upgradeOptions } from '../../crash/world/releases.ts';
import { settledMachine } from '../../crash/world/settled.ts';
import {
  afterCut,
  deploymentA,
  deploymentB,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';

const { releases, fresh } = await settledMachine();
const inB: MachineSettings = {
  running: { deployment: deploymentB, slot: 'b', block: 2 } satisfies Partial<Running>,
};
const quiet = () => {};
const around = { hooks: standardHooks, note: quiet };
const pinOn = (world: World, name: string, settings?: MachineSettings) =>
  pin(machineOf(world, settings), name, quiet);
const unpinOn = (world: World, name?: string) =>
  unpin(machineOf(world), { name, everything: false }, quiet);
const statusOf = (world: World, settings?: MachineSettings) =>
  readStatus(machineOf(world, settings), []);
const pinnedIds = async (world: World) =>
  (await statusOf(world)).pinned.map(({ deployment }) => deployment);

/** Media and data; what /run holds is not meant to last. */
const describeWorld = ({ slots, boot, files }: World) =>
  [slots.a.medium, slots.b.medium, boot.disk.medium]
    .map((medium) => medium.toString('base64'))
    .concat(files.describe('/data'))
    .join('\n');

/** Makes a deployment of what runs in slot a with one more argument. */
const append = (world: World, word: string, settings?: MachineSettings) =>
  change(world, { append: [word] }, machineOf(world, settings));
const { inBlock } = changesOf(releases);
const inA = (serial: number, block: number, choice: Running['choice']) =>
  inBlock(block, serial, choice);
const confirm = (world: World, settings: MachineSettings) =>
  bootComplete(machineOf(world, settings), { health: standardHealth, tries: 2, ...around });

describe('a pinned deployment in the other slot', () => {
  it('keeps an upgrade from overwriting it: everything stays as it was, and the error says what to do', async () => {
    const world = fresh();
    expect(await pinOn(world, 'other')).toMatchObject({ deployments: ['second'], changed: true });
    const before = describeWorld(world);
    for (const reboot of [true, false]) {
      const error = await upgrade(machineOf(world), { ...upgradeOptions(releases), reboot }).catch(
        (thrown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'STATE_PINNED',
        exitStatus: 6,
        details: {
          expected: expect.stringMatching(/^a slot that 2 \(commit [0-9a-f]{12}\) may be/),
          found: 'second, pinned in slot b',
          remedy: expect.stringContaining('`pinectl unpin second`'),
        },
      });
    }
    const preview = { ...upgradeOptions(releases), plan: true };
    await codeOfAsync(() => previewUpgrade(machineOf(world), preview), 'STATE_PINNED');
    expect(describeWorld(world)).toBe(before);
    expect(await unpinOn(world, 'second')).toMatchObject({ changed: true, pins: [] });
    expect(await upgrade(machineOf(world), upgradeOptions(releases))).toMatchObject({
      kind: 'armed',
      slot: 'b',
    });
  });

  it('is no reason to refuse when the ref names what runs', async () => {
    const world = fresh();
    await pinOn(world, 'other');
    const options = upgradeOptions({ keys: releases.keys, v2: releases.v1 });
    expect(await upgrade(machineOf(world), options)).toMatchObject({ kind: 'up-to-date' });
  });

  it('is gone back to, also from one that was left for it, though it left the order', async () => {
    const world = fresh();
    await pinOn(world, 'booted');
    const leave = (settings?: MachineSettings) =>
      rollback(machineOf(world, settings), { reboot: true, ...around });
    expect(await leave()).toMatchObject({ kind: 'left', to: { id: deploymentB } });
    expect(await world.boot.readChoice()).toEqual({ order: [2] });
    // It is held, and yet it can be gone back to: it was confirmed, and nothing has overwritten it.
    await codeOfAsync(
      () => upgrade(machineOf(world, inB), upgradeOptions(releases)),
      'STATE_PINNED',
    );
    expect(await leave(inB)).toMatchObject({ kind: 'left', to: { id: deploymentA } });
    expect(await world.boot.readChoice()).toEqual({ order: [1] });
  });

  it('is repaired, since that writes what it held', async () => {
    const world = fresh();
    await pinOn(world, 'other');
    world.slots.b.medium.fill(0x5a, 200_000, 200_010);
    const { keys, v0 } = releases;
    const { remote } = upgradeOptions({ keys, v2: v0 });
    const outcome = await repairOtherSlot(machineOf(world), {
      remote,
      keys: [keys.publicKey],
      note: quiet,
    });
    expect([outcome.before.result, outcome.after?.result]).toEqual(['damaged', 'whole']);
    expect(await pinnedIds(world)).toEqual([deploymentB]);
  });

  it('is refused for as long as the list is damaged, which pin and unpin mend', async () => {
    const world = fresh();
    await world.files.makeFolder('/data/pine', 0o755);
    await world.files.writeFile('/data/pine/pins.json', Buffer.from('{'), 0o644);
    const run = () => upgrade(machineOf(world), upgradeOptions(releases));
    await codeOfAsync(run, 'STATE_PINNED');
    expect((await statusOf(world)).pinsLost).toBe(true);
    const notes: string[] = [];
    const note = (text: string) => void notes.push(text);
    await unpin(machineOf(world), { everything: true }, note);
    expect(notes.join()).toMatch(/pins\.json is damaged/);
    expect(await run()).toMatchObject({ kind: 'armed' });
  });
});

describe('pin', () => {
  it.each([
    ['booted', deploymentA],
    ['other', deploymentB],
    ['1', deploymentA],
    ['2', deploymentB],
    ['second', deploymentB],
    ['seco', deploymentB],
  ])('%s names %s', async (name, id) => {
    expect(await pinOn(fresh(), name)).toMatchObject({ deployments: [id] });
  });

  it('takes the beginning of a commit, and says when that is more than one deployment', async () => {
    const world = fresh();
    const commit = releases.v1.checksum;
    expect(await pinOn(world, commit.slice(0, 8))).toMatchObject({ deployments: [deploymentA] });
    await append(world, 'nosmt');
    await confirm(world, inA(0, 3, 'trial'));
    await codeOfAsync(() => pinOn(world, commit.slice(0, 8)), 'INPUT_AMBIGUOUS_DEPLOYMENT');
    await codeOfAsync(() => pinOn(world, commit.slice(0, 3)), 'NOT_FOUND_DEPLOYMENT');
    await codeOfAsync(() => pinOn(world, '4'), 'NOT_FOUND_DEPLOYMENT');
  });

  it('is refused for what is not confirmed, and without the data partition', async () => {
    const trial = { block: 2, tries: 1 };
    const options = { a: releases.v1, b: releases.v2, order: [2, 1], trial };
    const world = await makeWorld(options);
    await codeOfAsync(() => pinOn(world, 'other'), 'STATE_NOT_CONFIRMED');
    await codeOfAsync(() => pinOn(world, 'booted', inB), 'STATE_NOT_CONFIRMED');
    const left = await makeWorld({ a: releases.v1, b: releases.v2, order: [1] });
    await codeOfAsync(() => pinOn(left, '2'), 'STATE_NOT_CONFIRMED');
    const degraded = { running: { data: 'degraded' } } satisfies MachineSettings;
    await codeOfAsync(() => pinOn(fresh(), 'booted', degraded), 'STATE_DEGRADED');
  });

  it('done twice changes nothing, and unpin of one that was not pinned neither', async () => {
    const world = fresh();
    expect(await pinOn(world, 'booted')).toMatchObject({ changed: true });
    expect(await pinOn(world, 'booted')).toMatchObject({ changed: false });
    expect(await unpinOn(world, 'other').catch((error) => error)).toMatchObject({
      code: 'NOT_FOUND_DEPLOYMENT',
    });
    expect(await unpinOn(world, 'second')).toMatchObject({ changed: false });
    expect(await unpinOn(world)).toMatchObject({ deployments: [deploymentA], changed: true });
    await codeOfAsync(() => unpinOn(world), 'NOT_FOUND_PIN');
  });

  it.each(['other', '2', 'second', 'seco', undefined])(
    'is undone by `unpin %s`, also when nothing boots it any more',
    async (name) => {
      const world = fresh();
      await pinOn(world, 'other');
      await world.boot.writeChoice({ order: [1] });
      expect(await unpinOn(world, name)).toMatchObject({
        deployments: [deploymentB],
        changed: true,
      });
      expect(await pinnedIds(world)).toEqual([]);
    },
  );

  it('of two is undone by name only, or with --all', async () => {
    const world = fresh();
    await pinOn(world, 'booted');
    await pinOn(world, 'other');
    await codeOfAsync(() => unpinOn(world), 'INPUT_AMBIGUOUS_DEPLOYMENT');
    expect(await pinnedIds(world)).toEqual([deploymentA, deploymentB]);
    await unpin(machineOf(world), { everything: true }, quiet);
    expect(await pinnedIds(world)).toEqual([]);
  });

  it('is told by status, in the order or not, and by what is gone', async () => {
    const world = fresh();
    await pinOn(world, 'other');
    const status = await statusOf(world);
    expect(status.slots.map(({ deployments }) => deployments[0]?.pinned)).toEqual([false, true]);
    expect(status.pinned).toEqual([
      { deployment: deploymentB, since: 1_800_000_000, slot: 'b', block: 2 },
    ]);
    await world.boot.writeChoice({ order: [1] });
    await world.boot.clearDeployment(2); // as an older pinectl may do, which knows of no pins
    expect((await statusOf(world)).pinned).toEqual([
      { deployment: deploymentB, since: 1_800_000_000 },
    ]);
    expect(await unpinOn(world, deploymentB)).toMatchObject({ changed: true });
  });

  it('S6 S7: cut at every write, is pinned or not, and nothing in between', async () => {
    const { writes, problems } = await cutEverywhere({
      begin: async () => fresh(),
      operation: (world) => pinOn(world, 'other'),
      losses: () => [keepAll, dropAll],
      judge: async (after) => {
        const { pinsLost } = await statusOf(after);
        const ids = await pinnedIds(after);
        const known = ids.length === 0 || ids.join() === deploymentB;
        return known && !pinsLost ? [] : [`pinned: ${ids}, lost: ${pinsLost}`];
      },
    });
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(3);
    const whole = fresh();
    await pinOn(whole, 'other');
    expect(await pinnedIds(afterCut(whole, dropAll))).toEqual([deploymentB]); // durable on return
  });
});

describe('other kernel arguments', () => {
  it('leave the block of a pinned deployment alone, and it stays in the order', async () => {
    const world = fresh();
    await pinOn(world, 'booted');
    const block = await world.boot.readDeployment(1);
    await append(world, 'nosmt');
    await confirm(world, inA(0, 3, 'trial'));
    await append(world, 'quiet', inA(0, 3, 'order'));
    expect((await world.boot.readChoice())?.order).toEqual([4, 3, 1, 2]);
    await confirm(world, inA(1, 4, 'trial'));
    // Block 3 makes room, which nobody has pinned; without the pin it would be block 1.
    await append(world, 'debug', inA(1, 4, 'order'));
    expect((await world.boot.readChoice())?.order).toEqual([3, 4, 1, 2]);
    expect(await world.boot.readDeployment(1)).toEqual(block);
    expect(await world.files.status('/data/etc/first')).toBeDefined();
  });

  it('find a block: the last one that is free can not be pinned', async () => {
    const world = fresh();
    await pinOn(world, 'booted');
    await append(world, 'nosmt');
    await confirm(world, inA(0, 3, 'trial'));
    await pinOn(world, 'booted', inA(0, 3, 'order'));
    await append(world, 'quiet', inA(0, 3, 'order'));
    await confirm(world, inA(1, 4, 'trial'));
    // 4 runs, 3 and 1 are pinned, 2 is the other slot's best.
    const settings = inA(1, 4, 'order');
    await codeOfAsync(() => pinOn(world, 'booted', settings), 'STATE_NO_BLOCK');
    await codeOfAsync(() => append(world, 'debug', settings), 'STATE_NO_BLOCK');
    // An upgrade takes the other slot's block.
    expect(await upgrade(machineOf(world, settings), upgradeOptions(releases))).toMatchObject({
      kind: 'armed',
    });
  });
});

describe('what nothing boots any more', () => {
  it('keeps the block of pinned arguments that were left, when others are retired', async () => {
    const world = fresh();
    await append(world, 'nosmt');
    await confirm(world, inA(0, 3, 'trial'));
    await pinOn(world, 'booted', inA(0, 3, 'order'));
    const pinned = await world.boot.readDeployment(3);
    await rollback(machineOf(world, inA(0, 3, 'order')), { reboot: true, ...around });
    expect((await world.boot.readChoice())?.order).toEqual([1, 2]);
    await append(world, 'quiet');
    await world.boot.writeChoice({ order: [4, 1, 2], trial: { block: 4, tries: 0 } });
    await confirm(world, {}); // it fell back: its block is emptied
    expect(await world.boot.readDeployment(4)).toBeUndefined();
    expect(await world.boot.readDeployment(3)).toEqual(pinned);
  });

  it('keeps the plan and the /etc of a pinned deployment, which others lose', async () => {
    const world = fresh();
    const commit = releases.v0.checksum;
    const id = `${commit.slice(0, 12)}.0`;
    await world.boot.writeChoice({ order: [1] });
    await world.boot.writeDeployment(2, { id, slot: 'b', kernelArguments: '', commit });
    await world.boot.writeChoice({ order: [1, 2] });
    const etc = `/data/etc/${id}`;
    await world.files.makeFolder(etc, 0o755);
    await world.files.makeFolder(`/data/etc/${'0'.repeat(12)}.0`, 0o755);
    await pinOn(world, 'other');
    await world.boot.writeChoice({ order: [1] });
    await append(world, 'nosmt');
    expect(await world.files.status(etc)).toBeDefined();
    expect(await world.files.status(`/data/pine/plans/${commit}.plan`)).toBeDefined();
    expect(await world.files.status(`/data/etc/${'0'.repeat(12)}.0`)).toBeUndefined();
  });

  it('is not what a fresh boot choice is written over', async () => {
    const world = fresh();
    await pinOn(world, 'booted');
    const pinned = await world.boot.readDeployment(1);
    world.boot.disk.medium.fill('x', 0, 512);
    const unknown = { deployment: 'emergency', slot: 'a', block: undefined } as const;
    await confirm(world, { running: { ...unknown, choice: 'emergency' } });
    const choice = await world.boot.readChoice();
    expect(choice?.order).toEqual([3]);
    expect(await world.boot.readDeployment(1)).toEqual(pinned);
  });
});

it('what is staged is armed in a block that is not pinned', async () => {
  const world = fresh();
  await upgrade(machineOf(world), { ...upgradeOptions(releases), reboot: false });
  await pinOn(world, 'booted');
  const outcome = await finalizeStaged(machineOf(world), around);
  expect(outcome).toMatchObject({ kind: 'armed' });
  expect((await world.boot.readDeployment(1))?.id).toBe(deploymentA);
  expect(await pinnedIds(world)).toEqual([deploymentA]);
});
