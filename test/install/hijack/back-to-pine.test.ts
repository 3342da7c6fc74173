import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BootChoice } from '../../../src/boot/choice.ts';
import { encodeChoice } from '../../../src/boot/grub/choice-codec.ts';
import { nodeBlockDevice } from '../../../src/disk/node-block-device.ts';
import { backToPine, choiceOfPine } from '../../../src/install/hijack/back-to-pine.ts';
import type { Host } from '../../../src/install/hijack/host.ts';
import { makeTakenOver } from '../../boot/support/taken-over.ts';
import type { TinyMachine } from '../../boot/support/tiny-machine.ts';
import { codeOf, codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';

const unable = missing('grub', 'disk', 'squashfs') !== undefined;

// From the old system back to pine, on a disk file as a take-over leaves it.
describe.skipIf(unable)('going back to pine', () => {
  let machine: TinyMachine;
  let folder: string;
  beforeAll(async () => {
    machine = await makeTakenOver();
    folder = mkdtempSync(join(tmpdir(), 'pine-back-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await machine?.remove();
  });

  /** The host that runs from this disk, with a boot choice. */
  async function hostWith(choice: BootChoice): Promise<{ host: Host; read(): Promise<Buffer> }> {
    const path = join(folder, 'disk.img');
    copyFileSync(join(machine.folder, 'template.img'), path);
    const device = await nodeBlockDevice(path).open('write');
    await device.write(machine.grubenvAt, encodeChoice(choice)).finally(() => device.close());
    const at = machine.grubenvAt;
    return { host: hostOn(path), read: async () => readFileSync(path).subarray(at, at + 512) };
  }

  test('the sector of the boot choice says pine, with all else as it was left', async () => {
    const { host, read } = await hostWith({ order: [2, 1], previous: true });
    expect(await backToPine(host, 2)).toEqual({ kind: 'pine' });
    expect((await read()).equals(encodeChoice({ order: [2, 1] }))).toBe(true);
    await codeOfAsync(() => backToPine(host, 2), 'STATE_NOT_UNDONE');
  });

  test('a first trial that failed is tried again', async () => {
    const { host, read } = await hostWith({ order: [1], trial: { block: 1, tries: 0 } });
    expect(await backToPine(host, 2)).toEqual({ kind: 'another-trial', tries: 2 });
    const again = encodeChoice({ order: [1], trial: { block: 1, tries: 2 } });
    expect((await read()).equals(again)).toBe(true);
  });

  test('a disk without pine is left alone', async () => {
    const path = join(folder, 'other.img');
    writeFileSync(path, '');
    truncateSync(path, 8 << 20);
    execFileSync('/usr/sbin/sfdisk', ['-q', path], { input: 'label: gpt\nname="boot"\n' });
    const error = await codeOfAsync(() => backToPine(hostOn(path), 2), 'NOT_FOUND_PINE');
    expect(error.details.found).toBe('boot');
    execFileSync('/usr/sbin/sfdisk', ['-q', path], { input: 'label: dos\ntype=83\n' });
    await codeOfAsync(() => backToPine(hostOn(path), 2), 'NOT_FOUND_PINE');
  });

  test('nothing is opened for writing before it was read, and found to have pine', async () => {
    const modes: string[] = [];
    const recorded: typeof nodeBlockDevice = (...place) => {
      const opener = nodeBlockDevice(...place);
      return {
        ...opener,
        async open(mode) {
          modes.push(mode);
          return opener.open(mode);
        },
      };
    };
    const { host } = await hostWith({ order: [1] });
    await codeOfAsync(() => backToPine(host, 2, recorded), 'STATE_NOT_UNDONE');
    const other = join(folder, 'bare.img');
    writeFileSync(other, '');
    truncateSync(other, 8 << 20);
    execFileSync('/usr/sbin/sfdisk', ['-q', other], { input: 'label: gpt\nname="root"\n' });
    await codeOfAsync(() => backToPine(hostOn(other), 2, recorded), 'NOT_FOUND_PINE');
    expect(new Set(modes)).toEqual(new Set(['read']));
  });
});

test('without a partition that could be pine nothing is opened; a disk that is refused is told of', async () => {
  const nodes = (...blockdevices: object[]) => ({
    ...hostOn(''),
    report: async () => JSON.stringify({ blockdevices }),
  });
  const refused: typeof nodeBlockDevice = (name) => ({
    name,
    open: () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })),
    dropCache: async () => {},
  });
  const whole = { path: '/dev/vda', type: 'disk', mountpoint: '/' };
  for (const host of [nodes(), nodes(whole)]) {
    await codeOfAsync(() => backToPine(host, 2, refused), 'NOT_FOUND_PINE');
  }
  const error = await codeOfAsync(() => backToPine(hostOn('/dev/vda'), 2, refused), 'IO_READ_DISK');
  expect(error.details).toMatchObject({ found: 'EPERM', where: '/dev/vda' });
});

test('a first trial that was left keeps its tries', () => {
  const left = { order: [1], trial: { block: 1, tries: 1 } };
  expect(choiceOfPine({ ...left, previous: true }, 2, 'x').next).toEqual(left);
  codeOf(() => choiceOfPine(undefined, 2, 'x'), 'STATE_NO_CHOICE');
});

function hostOn(path: string): Host {
  const disk = { path, type: 'disk', children: [{ path: `${path}1`, mountpoint: '/' }] };
  const nothing = async () => undefined;
  return {
    ...{ readText: nothing, resolve: nothing, list: async () => [], exists: async () => false },
    readBytes: async () => Buffer.alloc(0),
    report: async () => JSON.stringify({ blockdevices: [disk] }),
    ...{ userId: 0, invokingUser: 'root', processor: 'x64' },
  };
}
