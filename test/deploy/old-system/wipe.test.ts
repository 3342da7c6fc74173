import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../../src/boot/choice.ts';
import { oldSystemAtBoot } from '../../../src/deploy/old-system/at-boot.ts';
import { undo } from '../../../src/deploy/old-system/undo.ts';
import { wipe } from '../../../src/deploy/old-system/wipe.ts';
import { readWish, writeWish } from '../../../src/deploy/old-system/wish.ts';
import { runProgram } from '../../../src/deploy/run-program.ts';
import { nodeBlockDevice } from '../../../src/disk/node-block-device.ts';
import { dropAll, keepAll, randomLoss } from '../../crash/world/loss.ts';
import { PowerCut } from '../../crash/world/power.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';
import { makeOldFileSystem, secret, TakenOver } from './support/taken-over.ts';

const note = () => {};
const seeds = Array.from({ length: 6 }, (_, index) => index);

describe.skipIf(missing('disk') !== undefined)('wiping the old system', () => {
  let whole: Buffer;
  beforeAll(() => {
    whole = makeOldFileSystem({ 'boot/vmlinuz-6.1': undefined }, '2M');
  });
  const make = (choice: BootChoice = { order: [1, 2] }) => TakenOver.make(whole, choice);

  it('leaves an empty file system that is mounted, and none of its bytes', async () => {
    const taken = await make();
    expect(taken.describe()).toBe('ext4  old bytes');
    expect(await wipe(taken.machine())).toEqual({
      ...{ erased: true, size: 2 << 20, folder: '/data/spare', problem: undefined },
    });
    expect(taken.describe()).toBe('ext4 pine-spare no old bytes');
    expect(taken.calls).toEqual([
      'mke2fs -q -F -t ext4 -m 1 -L pine-spare /dev/vda1',
      'e2fsck -p /dev/vda1',
      'mount -t ext4 -o noatime,nosuid,nodev,errors=remount-ro /dev/vda1 /data/spare',
    ]);
    await codeOfAsync(() => undo(taken.machine()), 'STATE_WIPED');
  });

  it('is not done twice: what is in use is left alone', async () => {
    const taken = await make();
    await wipe(taken.machine());
    taken.calls.length = 0;
    expect(await wipe(taken.machine())).toMatchObject({ erased: false });
    expect(taken.calls).toEqual([]);
    await oldSystemAtBoot(taken.machine(), note);
    expect(taken.calls).toEqual([]);
  });

  it('is refused while GRUB may fall back to the old system, or is to start it', async () => {
    for (const [choice, code] of [
      [{ order: [1], trial: { block: 1, tries: 1 } }, 'STATE_ON_TRIAL'],
      [{ order: [1, 2], trial: { block: 1, tries: 1 } }, 'STATE_ON_TRIAL'],
      [{ order: [2] }, 'STATE_REBOOT_PENDING'],
      [{ order: [1], previous: true }, 'STATE_UNDONE'],
    ] as const) {
      const taken = await make(choice);
      await codeOfAsync(() => wipe(taken.machine()), code);
      expect(taken.disk.written).toBe(false);
    }
    const degraded = { running: { data: 'degraded' } } as const;
    await codeOfAsync(async () => wipe((await make()).machine(degraded)), 'STATE_DEGRADED');
  });

  it("takes the old system's files away first, and is refused when somebody uses them", async () => {
    const taken = await make();
    taken.mounts.push('/dev/vda1 /data/old-root ext4 ro 0 0');
    taken.answers.umount = { passed: false, detail: 'exit 1: target is busy' };
    const error = await codeOfAsync(() => wipe(taken.machine()), 'STATE_OLD_SYSTEM_MOUNTED');
    expect(error.details.found).toContain('busy');
    expect(taken.disk.written).toBe(false);
    delete taken.answers.umount;
    await wipe(taken.machine());
    expect(taken.mounts).toHaveLength(1);
    const other = await make();
    other.mounts.push('/dev/vda1 /mnt ext4 rw 0 0');
    await codeOfAsync(() => wipe(other.machine()), 'STATE_OLD_SYSTEM_MOUNTED');
    expect(other.disk.written).toBe(false);
  });

  it('says so when no file system can be made, and makes it in the next run', async () => {
    const taken = await make();
    taken.answers.mke2fs = { passed: false, detail: 'exit 1: no such file' };
    await codeOfAsync(() => wipe(taken.machine()), 'PROGRAM_FAILED');
    expect(taken.describe()).toBe('blank  no old bytes');
    delete taken.answers.mke2fs;
    await oldSystemAtBoot(taken.machine(), note);
    expect(taken.describe()).toBe('ext4 pine-spare no old bytes');
  });

  it('S7: cut at any write, the next boot ends it, and nothing starts half a system', async () => {
    const uncut = await make();
    await wipe(uncut.machine());
    const { writes } = uncut.world.power;
    expect(writes).toBeGreaterThan(12);
    for (let cut = 1; cut <= writes; cut += 1) {
      const taken = await make();
      taken.world.power.cutAt(cut);
      await expect(wipe(taken.machine())).rejects.toThrow(PowerCut);
      for (const loss of [keepAll, dropAll, ...seeds.map((seed) => randomLoss(cut * 100 + seed))]) {
        const after = taken.afterCut(loss);
        // What still looks like the old system is all of it.
        const before = after.describe();
        if (before === 'ext4  old bytes') expect(after.disk.medium.equals(whole)).toBe(true);
        const wish = await readWish(after.machine());
        await oldSystemAtBoot(after.machine(), note);
        expect(after.describe(), `after write ${cut}, ${loss.name}: ${before}`).toBe(
          wish === 'wipe' ? 'ext4 pine-spare no old bytes' : 'ext4  old bytes',
        );
        await wipe(after.machine());
        expect(after.describe()).toBe('ext4 pine-spare no old bytes');
      }
    }
  });

  it('when it was asked for at the take-over, waits for the confirmation', async () => {
    const taken = await make({ order: [1], trial: { block: 1, tries: 1 } });
    await writeWish(taken.machine(), 'wipe');
    const notes: string[] = [];
    await oldSystemAtBoot(taken.machine(), (text) => notes.push(text));
    expect(taken.disk.written).toBe(false);
    expect(notes.join()).toContain('first trial');
    await taken.world.boot.writeChoice({ order: [1] });
    await oldSystemAtBoot(taken.machine(), note);
    expect(taken.describe()).toBe('ext4 pine-spare no old bytes');
  });

  it('the real mke2fs and e2fsck make and check it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pine-wipe-'));
    try {
      const path = join(folder, 'partition');
      writeFileSync(path, whole);
      const taken = await make();
      const machine = taken.machine();
      const run: typeof runProgram = (program, seconds, options) =>
        program === 'mount'
          ? Promise.resolve({ passed: true, detail: 'exit 0' })
          : runProgram(`/usr/sbin/${program}`, seconds, options);
      const outcome = await wipe({
        ...machine,
        previous: { ...nodeBlockDevice(path), path },
        effects: { ...machine.effects, runProgram: run },
      });
      expect(outcome).toMatchObject({ erased: true, problem: undefined });
      execFileSync('/usr/sbin/e2fsck', ['-fn', path], { stdio: 'pipe' });
      expect(readFileSync(path).includes(secret)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
