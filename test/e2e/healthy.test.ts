import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Status } from '../../src/deploy/status.ts';
import { missing } from '../support/requirements.ts';
import { isFullRun } from './harness/debian-machine.ts';
import { grubenv, partition, readBytes, writeBytes } from './harness/disk-bytes.ts';
import { copyDisk, Lab } from './harness/lab.ts';

const { folder = '', skipped } = inject('e2e');
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** A journal's superblock and first blocks begin with this, big-endian. */
const journalMagic = Buffer.from([0xc0, 0x3b, 0x39, 0x98]);

describe.skipIf(skipped !== undefined)('a healthy machine that was upgraded', () => {
  const good = 'healthy.img';

  let afterCut: string;
  let status: Status;
  let told: string;
  /** What sha256sum says of a file on the data partition. */
  let kept: string;

  beforeAll(async () => {
    await using cut = await Lab.start(folder, 'healthy', { from: 'armed-server.img' });
    await cut.machine.waitForConsole(/Linux version/);
    await cut.machine.kill();
    afterCut = choiceOn(cut.disk);
    await using lab = await Lab.resume(folder, cut.disk);
    await lab.machine.waitForBoot();
    status = await lab.status();
    told = await lab.machine.check('cat /var/hooks.log');
    kept = await lab.machine.check(
      'dd if=/dev/urandom of=/srv/kept bs=1M count=20 2>/dev/null; sha256sum /srv/kept',
    );
    await lab.machine.powerOff();
    await copyDisk(lab.disk, join(folder, good));
  });
  afterAll(() => rmSync(join(folder, good), { force: true }));

  it('S4: lost one try, and no more, to a power cut during its trial', () => {
    expect(afterCut).toMatch(/^pine_tries=1$/m);
    expect(status.running).toMatchObject({ slot: 'b', choice: 'trial' });
    expect(status.history.map(({ kind }) => kind)).toEqual(['confirmed']);
    expect(choiceOn(join(folder, good))).toMatch(/^pine_trial=$/m);
  });

  it('was confirmed by its required checks, and tells which wanted one failed', () => {
    const outcomes = status.health?.checks.map(({ name, severity, passed }) => [
      name,
      severity,
      passed,
    ]);
    expect(outcomes).toEqual([
      ['default-route', 'required', true],
      ['sshd', 'required', true],
      ['10-services', 'required', true],
      ['20-remote-login', 'required', true],
      ['remote', 'wanted', false],
    ]);
    expect(told).toBe('after-confirmation b');
  });

  it('S4: (e) keeps its slot and its boot choice through ten power cycles, and fills a disk that has grown', async () => {
    const disk = await copyDisk(join(folder, good), join(folder, 'runs/cycles.img'));
    const dataSize = partition(disk, 'data').size;
    truncateSync(disk, 3e9);
    const tables = () => [
      readBytes(disk, { start: 0, size: 34 * 512 }),
      readBytes(disk, { start: 3e9 - 33 * 512, size: 33 * 512 }),
    ];
    let grown: Buffer[] | undefined;
    const boot = () => readBytes(disk, partition(disk, 'boot'));
    const before = boot();
    for (let cycle = 1; cycle <= 10; cycle += 1) {
      // The battery of the last one's clock is empty.
      const options = cycle === 10 ? { clock: '2020-01-01T00:00:00' } : {};
      await using lab = await Lab.resume(folder, disk, options);
      // Most of them lose power at some moment of their start.
      if (cycle % 5 !== 0) {
        await lab.machine.waitForConsole(/Linux version/);
        await new Promise((resolve) => setTimeout(resolve, cycle * 500));
      } else {
        await lab.machine.waitForBoot();
        const { running } = await lab.status();
        expect(running).toMatchObject({ slot: 'b', choice: 'order', data: 'ok' });
        // The first boot that comes so far grows, and the one after it has nothing to do.
        const { size } = partition(disk, 'data');
        expect(size).toBeGreaterThan(dataSize + 1.9e9);
        const total = await lab.machine.check("df -P -k /data | awk 'NR == 2 { print $2 }'");
        expect(Number(total) * 1024).toBeGreaterThan(size * 0.95);
        expect(await lab.machine.check('sha256sum /srv/kept')).toBe(kept);
        const log = await lab.machine.check(
          'sync; grep -c "has grown from" /data/pine/boot-complete.log',
        );
        expect(log).toBe('1');
        grown ??= tables();
        expect(tables()).toEqual(grown);
        if (missing('gdisk') === undefined) {
          const run = spawnSync('sgdisk', ['-v', disk], { env, encoding: 'utf8' });
          expect(run.stdout).toContain('No problems found.');
        }
      }
      await lab.machine.kill();
      expect(boot().equals(before)).toBe(true);
    }
    rmSync(disk);
  });

  const dataCases: readonly { what: string; damage: (disk: string) => void; data: RegExp }[] = [
    {
      what: 'the superblock of the data partition zeroed',
      damage: (disk) => writeBytes(disk, partition(disk, 'data').start + 1024, Buffer.alloc(1024)),
      data: /repaired|degraded/,
    },
    {
      what: 'the journal of the data partition damaged',
      damage: (disk) => {
        const data = partition(disk, 'data');
        const at = readBytes(disk, data).indexOf(journalMagic);
        if (at < 0) throw new Error('no journal was found');
        writeBytes(disk, data.start + at, Buffer.alloc(4096, 0xa5));
      },
      data: /repaired|degraded/,
    },
    {
      what: 'the data partition full of zeros',
      damage: (disk) => {
        const { start, size } = partition(disk, 'data');
        writeBytes(disk, start, Buffer.alloc(size));
      },
      data: /^degraded$/,
    },
    {
      what: 'the data partition gone',
      damage: (disk) => {
        execFileSync('/usr/sbin/sfdisk', ['--quiet', '--delete', disk, '7'], { stdio: 'pipe' });
      },
      data: /^degraded$/,
    },
  ];

  it.each(dataCases)('S11: (g) with $what stays up in its slot', async ({ what, damage, data }) => {
    const name = `data-${dataCases.findIndex((each) => each.what === what)}`;
    await using lab = await Lab.start(folder, name, { from: good }, damage);
    const choice = readBytes(lab.disk, grubenv(lab.disk));
    await lab.machine.waitForBoot();
    const { running } = await lab.status();
    expect(running).toMatchObject({ slot: 'b', choice: 'order' });
    expect(running.data).toMatch(data);
    // Reachable: its network is up, and sshd answers with a host key.
    await lab.machine.check(
      'ping -c 1 -W 5 10.0.2.2 && nc -w 5 127.0.0.1 22 </dev/null | grep SSH',
    );
    await lab.machine.kill();
    expect(readBytes(lab.disk, grubenv(lab.disk)).equals(choice)).toBe(true);
  });

  const choiceCases: readonly { what: string; bytes: Buffer }[] = [
    { what: 'zeroed', bytes: Buffer.alloc(512) },
    {
      what: 'full of garbage',
      bytes: Buffer.alloc(512, Buffer.from([0xd7, 0x0a, 0x3d, 0x22, 0x24])),
    },
    {
      what: 'with hostile names',
      bytes: environment(
        'pager=1\nprefix=(hd9)/nowhere\nroot=hd9\npine_order=2 1; reboot\ncmdpath=x\n',
      ),
    },
    {
      what: 'with an order that names nothing',
      bytes: environment('pine_order=4 3\npine_trial=\npine_tries=\n'),
    },
  ];

  it.each(choiceCases)('(h) with a grubenv $what boots a good slot', async ({ what, bytes }) => {
    const name = `grubenv-${choiceCases.findIndex((each) => each.what === what)}`;
    const { start } = grubenv(join(folder, good));
    await using lab = await Lab.start(folder, name, { from: good }, (disk) =>
      writeBytes(disk, start, bytes),
    );
    await lab.machine.waitForConsole(/Command line: .* pine\.choice=emergency /);
    // From here on all of them go the same way, but for what pine reads of the hostile one.
    if (!isFullRun && !/zeroed|hostile/.test(what)) return;
    await lab.machine.waitForBoot();
    expect((await lab.status()).running.choice).toBe('emergency');
    if (what !== 'zeroed') return;
    await lab.machine.powerOff();

    // The choice that was written afresh is followed from then on.
    await using next = await Lab.resume(folder, lab.disk);
    await next.machine.waitForBoot();
    expect((await next.status()).running.choice).toBe('order');
  });
});

/** What grubenv on a disk says. */
function choiceOn(disk: string): string {
  return readBytes(disk, grubenv(disk)).toString('latin1');
}

/** An environment block as GRUB wants it: 512 bytes, filled up with #. */
function environment(lines: string): Buffer {
  const block = Buffer.alloc(512, '#');
  block.write(`# GRUB Environment Block\n${lines}`, 'latin1');
  return block;
}
