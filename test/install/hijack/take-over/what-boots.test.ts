import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../../../src/install/hijack/take-over/steps.ts';
import { missing } from '../../../support/requirements.ts';
import { type Kind, type TinyDisk, TinyTakeOver } from './support/tiny-take-over.ts';

const unable = missing('grub', 'qemu', 'ovmf', 'disk', 'squashfs') !== undefined;

/** Behind the backup: pieces of the new table, the last of which shows pine's boot partition to GRUB. */
const tableOf = {
  mbr: ['primary-table', 'final-sector'],
  gpt: ['entries-behind', 'header', 'boot-entry'],
  uefi: ['entries-behind', 'header', 'boot-entry'],
} as const;
const lastOf = { mbr: 'final-sector', gpt: 'boot-entry', uefi: 'boot-entry' } as const;
const loaderOf = {
  mbr: { before: ['core'], commitment: 'committed-sector' },
  gpt: { before: ['core'], commitment: 'committed-sector' },
  uefi: { before: [], commitment: 'loader-sector' },
} as const;
/** Cuts in these pieces, after so many sectors. */
const cutsOf: Readonly<Record<Kind, readonly (readonly [string, number, string?])[]>> = {
  mbr: [
    ['primary-table', 0],
    ['primary-table', 1],
    ['primary-table', 17],
    ['final-sector', 0],
  ],
  gpt: [
    ['entries-behind', 0],
    ['entries-behind', 1],
    ['entries-behind', 17],
    ['header', 1],
    ['boot-entry', 0],
  ],
  // A table with wrong checksums is none for UEFI: it restores it from the backup, which is the new one.
  uefi: [
    ['entries-behind', 0],
    ['entries-behind', 1, 'pine a trial'],
    ['entries-behind', 17, 'pine a trial'],
    ['header', 1, 'pine a trial'],
    ['boot-entry', 0, 'pine a trial'],
  ],
};

// The order of a take-over, judged by the real GRUB on the disk as each power cut leaves it.
describe.skipIf(unable).each(['mbr', 'gpt', 'uefi'] as const)(
  'what boots on a disk with %s',
  { timeout: 300_000 },
  (kind) => {
    // A start with UEFI takes four times as long: only what is its own, unless PINE_FULL=1 asks for all.
    const isSlow = kind === 'uefi' && process.env.PINE_FULL !== '1';
    let takeOver: TinyTakeOver;
    beforeAll(async () => {
      takeOver = await TinyTakeOver.make(kind);
    });
    afterAll(() => takeOver?.remove());

    const nameOf = (step: Step) =>
      step.kind === 'write' ? step.file : step.kind === 'patch' ? step.name : step.kind;
    const names = () => takeOver.steps.map(nameOf);
    const stepOf = (name: string): Step => {
      const found = takeOver.steps.find((step) => nameOf(step) === name);
      if (found === undefined) throw new Error(`no step ${name}`);
      return found;
    };
    /** The disk after all steps before one of this name, and some sectors of it. */
    const cut = (name: string, sectors: number, use: (disk: TinyDisk) => Promise<void>) =>
      takeOver.withDisk(async (disk) => {
        await disk.putStage({ stage: 'writing', starts: 0 }); // the old GRUB is to start the old system
        const before = takeOver.steps.slice(0, names().indexOf(name));
        for (const step of before) await disk.apply(step);
        await disk.apply(stepOf(name), sectors);
        await use(disk);
      });

    test.concurrent('the order is the one that docs/hijack.md gives', () => {
      expect(names()).toEqual([
        ...[
          'slot',
          'trailer',
          'empty',
          'empty',
          'boot',
          'swap',
          'format',
          ...loaderOf[kind].before,
        ],
        ...['commitment', loaderOf[kind].commitment, 'backup-table', ...tableOf[kind]],
      ]);
    });

    test.concurrent.for([
      ...(isSlow
        ? []
        : ([
            ['slot', 0, 'old'],
            ['boot', 1000, 'old'],
          ] as const)),
      ...loaderOf[kind].before.map((name) => [name, 3, 'old'] as const),
      [loaderOf[kind].commitment, 0, 'old'],
      [loaderOf[kind].commitment, 1, 'installer writing'],
      ...(isSlow ? [] : ([['backup-table', 20, 'installer writing']] as const)),
      ...cutsOf[kind]
        .filter((_, index) => !isSlow || index === 1)
        .map(([name, sectors, boots = 'installer writing']) => [name, sectors, boots] as const),
      ...(isSlow ? [] : ([[lastOf[kind], 1, 'pine a trial']] as const)),
    ] as const)('cut in %s, after %i sectors: %s', async ([name, sectors, expected], context) => {
      await cut(name, sectors, async (disk) => {
        context.expect(await disk.boot()).toBe(expected);
      });
    });

    test.concurrent('a trial without tries ends in the old system, without the installer', async (context) => {
      await cut(lastOf[kind], 1, async (disk) => {
        await disk.putStage({ stage: 'writing', starts: 5 });
        const booted = [];
        for (let index = 0; index < 3; index += 1) booted.push(await disk.boot());
        context.expect(booted).toEqual(['pine a trial', 'pine a trial', 'old']);
      });
    });

    test.concurrent('sfdisk reads the new table, with what was there under its number', async (context) => {
      await cut(lastOf[kind], 1, async (disk) => {
        const sfdisk = (option: string, path: string) =>
          execFileSync('/usr/sbin/sfdisk', [option, path], { encoding: 'utf8' });
        context.expect(sfdisk('--verify', disk.path)).toMatch(/No errors detected/);
        const read = (path: string): Record<string, unknown>[] =>
          JSON.parse(sfdisk('-J', path)).partitiontable.partitions;
        const found = new Map(read(disk.path).map((one) => [one.name, one]));
        context
          .expect([...found.keys()])
          .toEqual([
            ...['previous', ...(kind === 'uefi' ? [] : ['bios-grub', 'esp'])],
            ...['boot', 'root-a', 'root-b', 'swap', 'data'],
            ...{ mbr: [], gpt: ['previous-14'], uefi: ['esp'] }[kind],
          ]);
        if (kind === 'mbr') return;
        const [root, boots] = read(takeOver.template);
        context
          .expect(found.get('previous'))
          .toMatchObject({ start: root?.start, uuid: root?.uuid });
        const stays = found.get(kind === 'uefi' ? 'esp' : 'previous-14') ?? {};
        const { node, name, ...kept } = stays;
        context.expect(boots).toMatchObject(kept);
      });
    });

    test.concurrent('what is staged is started once, and the old system after that', async (context) => {
      await takeOver.withDisk(async (disk) => {
        context.expect(await disk.boot()).toBe('installer staged');
        context.expect(await disk.boot()).toBe('old');
      });
    });

    test.concurrent('a GRUB that can not save its count does not start the installer', {
      skip: isSlow,
    }, async (context) => {
      await takeOver.withDisk(async (disk) => {
        context.expect(await disk.boot({ readOnly: true })).toBe('old');
      });
    });

    test.concurrent('once it writes, the installer is started as often as it asked for', {
      skip: isSlow,
    }, async (context) => {
      await takeOver.withDisk(async (disk) => {
        await disk.putStage({ stage: 'writing', starts: 2 });
        const booted = [];
        for (let index = 0; index < 3; index += 1) booted.push(await disk.boot());
        context.expect(booted).toEqual(['installer writing', 'installer writing', 'old']);
      });
    });
  },
);
