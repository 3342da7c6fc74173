import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../../src/boot/choice.ts';
import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import { redo, undo } from '../../../src/deploy/old-system/undo.ts';
import { rollback } from '../../../src/deploy/rollback.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import type { MachineSettings } from '../../crash/world/world.ts';
import { deploymentB } from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';
import { makeOldFileSystem, TakenOver } from './support/taken-over.ts';

const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
const inB = (choice: 'order' | 'trial'): MachineSettings => ({
  running: { deployment: deploymentB, slot: 'b', block: 2, choice },
});
const onTrial: MachineSettings = { running: { choice: 'trial' } };

describe.skipIf(missing('disk') !== undefined)('undoing a take-over', () => {
  let whole: Buffer;
  beforeAll(() => {
    whole = makeOldFileSystem();
  });
  const make = (choice: BootChoice, bytes = whole) => TakenOver.make(bytes, choice);

  it('S3: chooses the old system in one write of one sector, and writes nothing of it', async () => {
    const taken = await make({ order: [1, 2] });
    const before = taken.world.power.writes;
    await undo(taken.machine());
    const written = taken.world.power.log.slice(before);
    expect(written.filter((what) => what.startsWith('boot: '))).toEqual([
      'boot: 512 at 0',
      'boot: flush',
    ]);
    expect(await taken.world.boot.readChoice()).toEqual({ order: [1, 2], previous: true });
    expect(taken.disk.written).toBe(false); // S1
  });

  it('is taken back by redo, which says so when there is nothing to take back', async () => {
    const taken = await make({ order: [1, 2] });
    await codeOfAsync(() => redo(taken.machine()), 'STATE_NOT_UNDONE');
    await undo(taken.machine());
    await redo(taken.machine());
    expect(await taken.world.boot.readChoice()).toEqual({ order: [1, 2] });
  });

  it('keeps pine from changing anything until the reboot', async () => {
    const taken = await make({ order: [1, 2] });
    await undo(taken.machine());
    const options = { reboot: false, hooks: standardHooks, note: () => {} };
    await codeOfAsync(() => rollback(taken.machine(), options), 'STATE_UNDONE');
    expect(await bootComplete(taken.machine(), settings)).toEqual({ kind: 'ordinary' });
    expect(await taken.world.boot.readChoice()).toEqual({ order: [1, 2], previous: true });
  });

  it('may leave a first trial, and a health check that ends afterwards does not confirm it', async () => {
    const taken = await make({ order: [1], trial: { block: 1, tries: 1 } });
    const machine = taken.machine(onTrial);
    const health = { ...standardHealth };
    const effects = {
      ...machine.effects,
      runProgram: async () => {
        await undo(taken.machine(onTrial));
        return { passed: true, detail: 'exit 0' };
      },
    };
    await taken.world.files.writeFile(`${machine.etc}/pine/health.d/slow`, Buffer.from(''), 0o755);
    const outcome = await bootComplete({ ...machine, effects }, { ...settings, health });
    expect(outcome).toEqual({ kind: 'ordinary' });
    expect(await taken.world.boot.readChoice()).toEqual({
      ...{ order: [1], trial: { block: 1, tries: 1 }, previous: true },
    });
  });

  it('is refused during the trial of an upgrade, while one is armed, and after a rollback', async () => {
    const trial = { order: [2, 1], trial: { block: 2, tries: 1 } };
    for (const [choice, running, code] of [
      [trial, inB('trial'), 'STATE_ON_TRIAL'],
      [trial, {}, 'STATE_ARMED'],
      [{ order: [1] }, inB('order'), 'STATE_REBOOT_PENDING'],
    ] as const) {
      const taken = await make(choice);
      await codeOfAsync(() => undo(taken.machine(running)), code);
      expect(await taken.world.boot.readChoice()).toEqual(choice);
    }
  });

  it('is refused when the old system could not be started', async () => {
    const grubCfg = 'boot/grub/grub.cfg';
    for (const [changes, found] of [
      [{ [grubCfg]: undefined }, /none/],
      [{ [grubCfg]: 'echo hello\n' }, /none/],
      [{ 'boot/vmlinuz-6.1': undefined }, /none/],
      [{ 'boot/vmlinuz-6.1': 'x'.repeat(5000) }, /something else/],
      [{ 'boot/initrd.img-6.1': undefined }, /none/],
    ] as const) {
      const taken = await make({ order: [1] }, makeOldFileSystem(changes));
      const error = await codeOfAsync(() => undo(taken.machine()), 'NOT_FOUND_OLD_SYSTEM');
      expect(error.details.found).toMatch(found);
      expect(await taken.world.boot.readChoice()).toEqual({ order: [1] });
    }
  });

  it('is refused for a damaged file system, and on a machine that was not taken over', async () => {
    const damaged = Buffer.from(whole);
    damaged.fill(0, 1024, 1536);
    const taken = await make({ order: [1] }, damaged);
    await codeOfAsync(() => undo(taken.machine()), 'NOT_FOUND_OLD_SYSTEM');
    const { previous, ...other } = taken.machine();
    await codeOfAsync(() => undo(other), 'NOT_FOUND_OLD_SYSTEM');
  });

  it('is refused by a boot loader that does not know of it', async () => {
    const taken = await make({ order: [1] });
    taken.world.boot.knowsPrevious = async () => false;
    await codeOfAsync(() => undo(taken.machine()), 'STATE_OLD_BOOT_LOADER');
  });

  it('ends by itself when the boot loader could not start the old system', async () => {
    const taken = await make({ order: [1, 2], previous: true });
    const machine = taken.machine({ running: { previousSkipped: 'missing' } });
    const notes: string[] = [];
    const note = (text: string) => notes.push(text);
    expect(await bootComplete(machine, { ...settings, note })).toEqual({ kind: 'ordinary' });
    expect(notes.join()).toContain('could not be started (missing)');
    expect(await taken.world.boot.readChoice()).toEqual({ order: [1, 2] });
  });

  it('may be asked for again in such a boot: what it skipped is settled then', async () => {
    const taken = await make({ order: [1, 2] });
    const machine = taken.machine({ running: { previousSkipped: 'load' } });
    await undo(machine);
    await bootComplete(machine, settings);
    expect(await taken.world.boot.readChoice()).toEqual({ order: [1, 2], previous: true });
  });

  it('S4: an ordinary boot of pine while the old system is chosen writes nothing to the choice', async () => {
    const taken = await make({ order: [1, 2], previous: true });
    await bootComplete(taken.machine(), settings);
    expect(await taken.world.boot.readChoice()).toEqual({ order: [1, 2], previous: true });
  });

  it('is told by status', async () => {
    const taken = await make({ order: [1] });
    const read = async () => (await readStatus(taken.machine(), [])).oldSystem;
    expect(await read()).toEqual({
      ...{ state: 'kept', device: '/dev/vda1', size: 12 << 20, mountedAt: null },
      ...{ chosen: false, wish: null, problem: null },
    });
    await undo(taken.machine());
    expect(await read()).toMatchObject({ state: 'kept', chosen: true });
    const { previous, ...other } = taken.machine();
    expect((await readStatus(other, [])).oldSystem).toBeNull();
  });
});
