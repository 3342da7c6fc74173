import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../../../src/install/hijack/take-over/steps.ts';
import { missing } from '../../../support/requirements.ts';
import { type TinyDisk, TinyTakeOver } from './support/tiny-take-over.ts';

const unable = missing('grub', 'qemu', 'disk', 'squashfs') !== undefined;

// The order of a take-over, judged by the real GRUB on the disk as each power cut leaves it.
describe.skipIf(unable)('what boots on a disk that is taken over', () => {
  let takeOver: TinyTakeOver;
  beforeAll(async () => {
    takeOver = await TinyTakeOver.make();
  });
  afterAll(() => takeOver?.remove());

  /** The steps before the one of this name. */
  const before = (name: string) => {
    const names = takeOver.steps.map((step) => ('file' in step ? step.file : step.kind));
    return takeOver.steps.slice(0, names.indexOf(name));
  };
  const stepOf = (name: string): Step => {
    const found = takeOver.steps.find((step) => 'file' in step && step.file === name);
    if (found === undefined) throw new Error(`no step ${name}`);
    return found;
  };
  const cut = (name: string, sectors: number, use: (disk: TinyDisk) => Promise<void>) =>
    takeOver.withDisk(async (disk) => {
      await disk.putStage({ stage: 'writing', starts: 0 }); // the old GRUB is to start the old system
      for (const step of before(name)) await disk.apply(step);
      await disk.apply(stepOf(name), sectors);
      await use(disk);
    });

  test.concurrent('the order is the one that docs/hijack.md gives', () => {
    expect(takeOver.steps.map((step) => ('file' in step ? step.file : step.kind))).toEqual([
      ...['slot', 'trailer', 'empty', 'empty', 'boot', 'swap', 'format'],
      ...[
        'core',
        'commitment',
        'committed-sector',
        'backup-table',
        'primary-table',
        'final-sector',
      ],
    ]);
  });

  test.concurrent.for([
    ['slot', 0, 'old'],
    ['boot', 1000, 'old'],
    ['core', 3, 'old'],
    ['committed-sector', 0, 'old'],
    ['committed-sector', 1, 'installer writing'],
    ['backup-table', 20, 'installer writing'],
    ['primary-table', 0, 'installer writing'],
    ['primary-table', 1, 'installer writing'],
    ['primary-table', 17, 'installer writing'],
    ['final-sector', 0, 'installer writing'],
    ['final-sector', 1, 'pine a trial'],
  ] as const)('cut in %s, after %i sectors: %s', async ([name, sectors, expected], context) => {
    await cut(name, sectors, async (disk) => {
      context.expect(await disk.boot()).toBe(expected);
    });
  });

  test.concurrent('a trial that has no tries left ends in the old system, and the installer stays away', async (context) => {
    await cut('final-sector', 1, async (disk) => {
      await disk.putStage({ stage: 'writing', starts: 5 });
      const booted = [];
      for (let index = 0; index < 4; index += 1) booted.push(await disk.boot());
      context.expect(booted).toEqual(['pine a trial', 'pine a trial', 'old', 'old']);
    });
  });

  test.concurrent('sfdisk reads the final table, with the old root under its number', async (context) => {
    await cut('final-sector', 1, async (disk) => {
      const verify = execFileSync('/usr/sbin/sfdisk', ['--verify', disk.path], {
        encoding: 'utf8',
      });
      context.expect(verify).toMatch(/No errors detected/);
      const { partitiontable } = JSON.parse(
        execFileSync('/usr/sbin/sfdisk', ['-J', disk.path], { encoding: 'utf8' }),
      );
      const names = partitiontable.partitions.map((one: { name: string }) => one.name);
      context.expect(names[0]).toBe('previous');
      context
        .expect(names.slice(1))
        .toEqual(['bios-grub', 'esp', 'boot', 'root-a', 'root-b', 'swap', 'data']);
    });
  });

  test.concurrent('what is staged is started once, and the old system after that', async (context) => {
    await takeOver.withDisk(async (disk) => {
      context.expect(await disk.boot()).toBe('installer staged');
      context.expect(await disk.boot()).toBe('old');
    });
  });

  test.concurrent('a GRUB that can not save its count does not start the installer', async (context) => {
    await takeOver.withDisk(async (disk) => {
      context.expect(await disk.boot({ readOnly: true })).toBe('old');
    });
  });

  test.concurrent('once it writes, the installer is started as often as it asked for', async (context) => {
    await takeOver.withDisk(async (disk) => {
      await disk.putStage({ stage: 'writing', starts: 2 });
      const booted = [];
      for (let index = 0; index < 3; index += 1) booted.push(await disk.boot());
      context.expect(booted).toEqual(['installer writing', 'installer writing', 'old']);
    });
  });
});
