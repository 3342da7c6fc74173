import { describe, expect, inject, it } from 'vitest';
import { missing } from '../support/requirements.ts';
import { Lab } from './harness/lab.ts';

const { folder = '', skipped } = inject('e2e');

describe.skipIf(skipped !== undefined || missing('ovmf') !== undefined)('a UEFI machine', () => {
  it('confirms an upgrade, makes the next, and falls back from what does not come up', async () => {
    const from = 'armed-server.img';
    await using lab = await Lab.start(folder, 'uefi', { from, firmware: 'uefi', memory: 256 });
    const { machine } = lab;
    await machine.waitForBoot();
    await machine.check('test -d /sys/firmware/efi');
    expect((await lab.status()).running).toMatchObject({ slot: 'b', choice: 'trial' });

    await lab.follow('panic', { tries: 1 });
    machine.send('pinectl upgrade');
    await machine.waitForBoot({ seconds: 1200, slot: 'b' });
    const { running, history } = await lab.status();
    expect(running).toMatchObject({ slot: 'b', choice: 'order' });
    expect(history.at(-1)).toMatchObject({ kind: 'fell-back' });
  });
});

describe.skipIf(skipped !== undefined || missing('alpine') !== undefined)(
  'a root made from a mirror of Alpine on loopback',
  () => {
    it('boots with gzipped modules', async () => {
      await using lab = await Lab.start(folder, 'mirror', { from: 'armed-mirror.img' });
      const { machine } = lab;
      await machine.waitForBoot();
      expect((await lab.status()).running).toMatchObject({ slot: 'b', choice: 'trial' });
      const modules = await machine.check(
        'find /lib/modules/ -name "*.ko*" | sed "s/.*[.]ko/.ko/" | sort -u',
      );
      expect(modules).toBe('.ko.gz');
      expect(await machine.check('cat /etc/apk/repositories')).toContain('http://127.0.0.1:');
      // Modules are loaded after the hand-over too: the network's driver is one.
      await machine.check('ping -c 1 -W 5 10.0.2.2');
    });
  },
);
