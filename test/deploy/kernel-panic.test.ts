import { describe, expect, it } from 'vitest';
import { bootComplete } from '../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../src/deploy/hooks/run-hooks.ts';
import { findPanic, readPanic } from '../../src/deploy/kernel-panic.ts';
import { writeState } from '../../src/deploy/state-files.ts';
import { readStatus } from '../../src/deploy/status.ts';
import { makeReleases } from '../crash/world/releases.ts';
import { deploymentB, machineOf, makeWorld, type World } from '../crash/world/world.ts';

/** As Linux 6.1 writes one. */
const record = `Panic#1 Part1
<6>[    4.012345] Run /sbin/init as init process
<0>[    4.567890] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100
<4>[    4.567900] CPU: 0 PID: 1 Comm: sh Not tainted 6.1.0-30-amd64 #1  Debian 6.1.124-1
<0>[    4.568000] ---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100 ]---
`;
const words = 'Attempted to kill init! exitcode=0x00000100';
const folder = '/sys/fs/pstore';

async function keep({ files }: World, name: string, text: string, mtime: number): Promise<void> {
  await files.makeFolder(folder, 0o755);
  await files.writeFile(`${folder}/${name}`, Buffer.from(text), 0o444);
  await files.setTime(`${folder}/${name}`, mtime);
}

async function machineOnTrial(): Promise<World> {
  const { v1, v2 } = await makeReleases();
  return makeWorld({ a: v1, b: v2, order: [2, 1], trial: { block: 2, tries: 0 } });
}

describe('the records of kernel panics', () => {
  it('tell what the kernel said', () => {
    expect(findPanic(record)).toBe(words);
    expect(findPanic('Oops#1 Part1\n<1>[ 1.0] BUG: kernel NULL pointer dereference\n')).toBe(
      undefined,
    );
    expect(findPanic(`Kernel panic - not syncing: \x1b[2J${'x'.repeat(500)}\n`)).toMatch(
      /^\[2Jx{157}$/,
    );
  });

  it('count since the trial was armed, the latest first', async () => {
    const world = await machineOnTrial();
    await keep(world, 'dmesg-erst-1', record.replaceAll('0x00000100', 'old'), 99);
    await keep(world, 'dmesg-erst-2', record, 101);
    await keep(world, 'dmesg-erst-3', record.replaceAll('0x00000100', 'late'), 103);
    await keep(world, 'dmesg-erst-4', 'Oops#1 Part1\n', 104);
    await keep(world, 'console-ramoops-0', record, 105);
    expect(await readPanic(world.files, folder, 100)).toMatch(/exitcode=late$/);
    expect(await readPanic(world.files, folder, 105)).toBeUndefined();
    expect(await readPanic(world.files, '/nowhere', 0)).toBeUndefined();
  });

  it('are part of why a trial fell back, in status', async () => {
    const world = await machineOnTrial();
    const commit = (await world.boot.readDeployment(2))?.commit ?? '';
    const event = { time: 100, kind: 'armed', deployment: deploymentB, slot: 'b' } as const;
    const history = [{ ...event, commit, version: '2', reason: '' }];
    await writeState(machineOf(world), { history, held: [] });
    await keep(world, 'dmesg-efi_pstore-1', record, 150);
    const machine = { ...machineOf(world), crashRecords: folder };
    const settings = { health: standardHealth, hooks: standardHooks, tries: 2, note: () => {} };
    await bootComplete(machine, settings);
    expect((await readStatus(machine, [])).lastRollback?.reason).toBe(
      `nothing is on record of it: it ended before its initramfs had the data partition; the kernel said: ${words}; no tries were left`,
    );
    expect(await world.files.readFolder(folder)).toEqual(['dmesg-efi_pstore-1']);
  });
});
