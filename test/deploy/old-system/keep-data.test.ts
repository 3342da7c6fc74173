import { beforeAll, describe, expect, it } from 'vitest';
import { oldSystemAtBoot } from '../../../src/deploy/old-system/at-boot.ts';
import { keepData } from '../../../src/deploy/old-system/keep-data.ts';
import { wipe } from '../../../src/deploy/old-system/wipe.ts';
import { writeWish } from '../../../src/deploy/old-system/wish.ts';
import { readStatus } from '../../../src/deploy/status.ts';
import { keepAll } from '../../crash/world/loss.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';
import { makeOldFileSystem, TakenOver } from './support/taken-over.ts';

describe.skipIf(missing('disk') !== undefined)("the old system's files", () => {
  let whole: Buffer;
  beforeAll(() => {
    whole = makeOldFileSystem({ 'boot/vmlinuz-6.1': undefined }, '2M');
  });
  const make = (bytes = whole) => TakenOver.make(bytes, { order: [1] });
  const statusOf = async (taken: TakenOver) => (await readStatus(taken.machine(), [])).oldSystem;
  const boot = async (taken: TakenOver) => {
    const notes: string[] = [];
    await oldSystemAtBoot(taken.machine(), (text) => notes.push(text));
    return notes.join();
  };

  it('S1: are mounted read-only and without the journal, now and at each boot', async () => {
    const taken = await make();
    const mount =
      'mount -t ext4 -o ro,noload,nosuid,nodev,noexec,errors=remount-ro /dev/vda1 /data/old-root';
    expect(await keepData(taken.machine())).toEqual({
      ...{ folder: '/data/old-root', problem: undefined },
    });
    expect(taken.calls).toEqual([mount]);
    expect(await boot(taken)).toBe('');
    expect(taken.calls).toEqual([mount]); // it is there
    expect(await statusOf(taken)).toMatchObject({ mountedAt: '/data/old-root', wish: 'keep-data' });
    const next = taken.afterCut(keepAll);
    await boot(next);
    expect(next.calls).toEqual([mount]);
    expect(next.disk.written).toBe(false);
  });

  it('are not mounted where nobody asked for it', async () => {
    const taken = await make();
    await boot(taken);
    await taken.world.files.writeFile('/data/etc/first/pine/old-system', Buffer.from('?'), 0o644);
    await boot(taken);
    expect(taken.calls).toEqual([]);
  });

  it('S11: when they can not be mounted, it is told, and that is all', async () => {
    const taken = await make();
    taken.answers.mount = { passed: false, detail: 'exit 32: bad superblock' };
    expect((await keepData(taken.machine())).problem).toContain('bad superblock');
    expect(await boot(taken)).toContain('bad superblock');
    expect((await statusOf(taken))?.problem).toContain('bad superblock');
    delete taken.answers.mount;
    await boot(taken);
    expect(await statusOf(taken)).toMatchObject({ problem: null, mountedAt: '/data/old-root' });
  });

  it('S11: a partition without a file system, or one that can not be read, is told', async () => {
    const blank = await make(Buffer.alloc(2 << 20));
    await writeWish(blank.machine(), 'keep-data');
    expect(await boot(blank)).toContain('no file system');
    expect(await statusOf(blank)).toMatchObject({ state: 'blank' });
    const taken = await make();
    await writeWish(taken.machine(), 'keep-data');
    const machine = taken.machine();
    const failing = Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO' });
    const open = () => Promise.reject(failing);
    const dead = {
      ...machine,
      ...(machine.previous && { previous: { ...machine.previous, open } }),
    };
    const notes: string[] = [];
    await oldSystemAtBoot(dead, (text) => notes.push(text));
    expect(notes.join()).toContain('EIO');
    expect((await readStatus(dead, [])).oldSystem).toMatchObject({
      ...{ state: 'unreadable', size: null, problem: expect.stringContaining('EIO') },
    });
  });

  it('are gone once it was wiped', async () => {
    const taken = await make();
    await wipe(taken.machine());
    await codeOfAsync(() => keepData(taken.machine()), 'STATE_WIPED');
    expect(await statusOf(taken)).toMatchObject({ state: 'spare', mountedAt: '/data/spare' });
    const next = taken.afterCut(keepAll);
    await boot(next);
    expect(next.calls.at(-1)).toContain('/data/spare');
  });
});
