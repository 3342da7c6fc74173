import { expect, test } from 'vitest';
import { encodeChoice } from '../../../../src/boot/grub/choice-codec.ts';
import { encodeEnvironmentBlock } from '../../../../src/boot/grub/environment-block.ts';
import { describeTakeOverStatus } from '../../../../src/cli/hijack-status-text.ts';
import { readTakeOverStatus } from '../../../../src/install/hijack/take-over/read-status.ts';
import { formatRecord } from '../../../../src/take-over/record.ts';
import { storyHead } from '../../../../src/take-over/story.ts';
import { recordedHost } from '../support/recorded-host.ts';

const id = '0123456789abcdef';
const record = formatRecord({
  ...{ id, time: 1_700_000_000, system: 'Debian', kernel: '6.1', hostName: 'vps' },
  ...{ remote: 'r', ref: 'alpine/web', commit: 'c'.repeat(64), deployment: 'c0ffee' },
  ...{ confirmAfter: undefined, deadline: 1800, disk: '/dev/vda', storyAt: 100 },
});
const prepared = '1 prepare fetch and verify\n61 prepared\n';
const kept = Buffer.alloc(65_636);
kept.write(
  `${storyHead(id)}${prepared}70 start staged\n71 step shrink\n80 start writing\n80 done\n`,
  100,
);

const read = async (
  values: Readonly<Record<string, string>>,
  changes: { disk?: Buffer; commands?: Record<string, string> } = {},
) => {
  const host = recordedHost('debian-vps', {
    files: {
      '/boot/pine-hijack/env': encodeEnvironmentBlock(Object.entries(values), 512),
      '/boot/pine-hijack/record': record,
      '/boot/pine-hijack/story': prepared,
      '/dev/vda': changes.disk ?? Buffer.alloc(65_636),
    },
    commands: { 'lsblk -nro PATH,PARTLABEL /dev/vda': '/dev/vda1 \n', ...changes.commands },
  });
  const status = await readTakeOverStatus(host);
  return { status, text: describeTakeOverStatus(status) };
};

test('nothing prepared, and something staged', async () => {
  expect(await readTakeOverStatus(recordedHost('debian-vps'))).toMatchObject({ state: 'none' });
  const { status, text } = await read({ pine_stage: 'staged', pine_starts: '1' });
  expect(status).toMatchObject({ state: 'staged', record: { deployment: 'c0ffee' } });
  expect(text).toMatch(/^prepared 2023-11-14T22:13:20Z: commit cccccccccccc of alpine\/web$/m);
  expect(text).toMatch(/fetch and verify 60 s/);
});

test('an installer that stopped before its first write says why', async () => {
  const values = { pine_stage: 'staged', pine_starts: '0', pine_reason: 'slot is damaged' };
  const { status, text } = await read(values);
  expect(status).toMatchObject({ state: 'untouched', reason: 'slot is damaged' });
  expect(text).toContain('nothing was changed: slot is damaged');
  const silent = await read({ pine_stage: 'staged', pine_starts: '0' });
  expect(silent.text).toContain('no reason is on record');
});

test('one that was started too often, with its story from the disk', async () => {
  const { status, text } = await read({ pine_stage: 'writing', pine_starts: '0' }, { disk: kept });
  expect(status).toMatchObject({
    state: 'unfinished',
    story: { runs: [{ end: 'cut' }, { end: 'done' }] },
  });
  expect(text).toMatch(/installed with 2 starts, 1 cut/);
  expect(text).toMatch(/shrink: cut there$/m);
});

test('a new system that was left says why, out of its own data partition', async () => {
  const commands = {
    'lsblk -nro PATH,PARTLABEL /dev/vda': '/dev/vda1 previous\n/dev/vda7 data\n',
    'debugfs -R cat /pine/attempts/c0ffee.log /dev/vda7':
      '90 initramfs\n95 handed-over\n100 userspace\n110 waiting for a login\n1890 deadline\n',
  };
  const { status, text } = await read({ pine_stage: 'writing', pine_starts: '8' }, { commands });
  expect(status.state).toBe('came-back');
  expect(text).toContain(
    'pine was installed and left again: it was not confirmed before its deadline (its health checks passed, and nobody logged in)',
  );
});

test('a new system that was left on purpose says how one gets back', async () => {
  const grubenv = encodeChoice({ order: [2, 1], previous: true }).toString('latin1');
  const commands = {
    'lsblk -nro PATH,PARTLABEL /dev/vda': '/dev/vda1 previous\n/dev/vda4 boot\n/dev/vda7 data\n',
    'debugfs -R cat grub/grubenv /dev/vda4': grubenv,
  };
  const { status, text } = await read({ pine_stage: 'writing', pine_starts: '8' }, { commands });
  expect(status.state).toBe('undone');
  expect(text).toContain('`hijack --redo` goes back to it');
});
