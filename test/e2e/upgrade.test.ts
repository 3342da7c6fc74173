import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { missing } from '../support/requirements.ts';
import { address, editSshd, findings, setUp, sshSettings } from './harness/administrator.ts';
import { Lab, type LabOptions } from './harness/lab.ts';
import { SshClient } from './harness/ssh.ts';
import { kernelNote } from './harness/test-root.ts';

const { folder = '', skipped } = inject('e2e');
const reason = skipped ?? missing('openssh');

describe.skipIf(reason !== undefined)('a BIOS machine of 128 MB', () => {
  let lab: Lab;
  let ssh: SshClient;
  let options: LabOptions;
  /** What the administrator's login has found before the first upgrade. */
  let found: string;

  beforeAll(async () => {
    console.log(`upgrade: ${kernelNote}`);
    ssh = await SshClient.make(join(folder, 'runs/ssh'));
    options = { memory: 128, forward: { port: ssh.port, to: `${address}:22` } };
    lab = await Lab.start(folder, 'upgrade', options);
    await lab.machine.waitForBoot();
    await lab.follow('server');
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it('boots what the image holds, read-only and with swap', async () => {
    const { running, held } = await lab.status();
    expect(running).toMatchObject({ slot: 'a', choice: 'order', data: 'ok' });
    expect(held).toEqual([]);
    expect(await lab.machine.check('tail -n +2 /proc/swaps')).toMatch(/^\/dev\/vda\d+ /);
    expect(await lab.machine.check("grep ' / squashfs ' /proc/mounts")).toMatch(/ ro,/);
  });

  it('says what to do instead of changing its packages, and which it has', async () => {
    const { status, output } = await lab.machine.run('apk add nano');
    expect(status).toBe(1);
    expect(output).toMatch(/can not change this system.*pinectl upgrade/s);
    expect(await lab.machine.check('apk info')).toMatch(/^busybox$/m);
  });

  it('is set up by its administrator, who then logs in by key', async () => {
    await setUp(lab, ssh);
    found = await findings(ssh);
    expect(found).toMatch(/^web1\nweb1\n10[.]0[.]2[.]77\/24$/m);
    expect(found).toMatch(/^\/etc\/shadow:root:\$\d\$/m);
    expect(found).toMatch(/ [*] status: started$/m);
    expect(found).toMatch(/^uid=\d+\(anna\) .*\(wheel\)/m);
    expect(await sshSettings(ssh)).toBe(
      'clientaliveinterval 0, logingracetime 120, maxauthtries 4, maxsessions 10',
    );
    const status = await lab.machine.check('pinectl etc status');
    expect(status).toMatch(/^M {2}ssh\/sshd_config$/m);
    expect(status).toMatch(/^M {2}shadow {2}\(secret\)$/m);
    expect(status).toMatch(/^A {2}runlevels\/boot\/syslog$/m);
  });

  it('S2: upgrades into the other slot, which is read back from the device', async () => {
    await lab.machine.check('echo kept >/etc/kept; echo kept >/srv/kept; echo kept >/var/kept');
    const before = await bytesRead(lab, 'root-b');
    const started = Date.now();
    await lab.machine.check('pinectl upgrade --no-reboot', 600);
    const seconds = (Date.now() - started) / 1000;
    const read = (await bytesRead(lab, 'root-b')) - before;
    const size = await imageSize(lab, 'root-b');
    const fetched = lab.web.sent();
    console.log(
      `upgrade at 128 MB: ${seconds.toFixed(1)} s, ${fetched} bytes fetched, image ${size} bytes, read back ${read}`,
    );
    expect(size).toBeGreaterThan(50_000_000);
    expect(read).toBeGreaterThanOrEqual(size);
    // What the running slot has is not fetched again.
    expect(fetched).toBeLessThan(size / 4);
  });

  it('reboots into it and confirms it by itself', async () => {
    // What the image itself says: /etc is the machine's own, and came along.
    const release = await lab.machine.check('cat /usr/etc/alpine-release');
    await editSshd(lab, '#LoginGraceTime 2m', 'LoginGraceTime 90'); // after it was staged
    lab.machine.send('reboot');
    await lab.machine.waitForBoot();
    const { running, history, held, conflicts } = await lab.status();
    expect(running).toMatchObject({ slot: 'b', choice: 'trial', data: 'ok' });
    expect(conflicts).toEqual([]);
    expect(history.map(({ kind }) => kind)).toEqual(['armed', 'confirmed']);
    expect(held).toEqual([]);
    expect(await lab.machine.check('cat /usr/etc/alpine-release')).not.toBe(release);
    expect(await lab.machine.check('cat /etc/kept /srv/kept /var/kept')).toBe('kept\nkept\nkept');
  });

  it('S8: has all that the administrator did, up to the reboot, and what the release brings', async () => {
    expect(await findings(ssh)).toBe(found);
    expect(await sshSettings(ssh)).toBe(
      'clientaliveinterval 300, logingracetime 90, maxauthtries 4, maxsessions 10',
    );
    expect(await ssh.run('root', 'id metrics')).toMatch(/^uid=321\(metrics\)/);
    const changes = await lab.machine.check('pinectl etc log ssh/sshd_config');
    expect(changes.split('\n').length).toBeGreaterThanOrEqual(2);
    expect(await lab.machine.check('pinectl etc diff ssh/sshd_config')).toMatch(
      /^-#MaxAuthTries 6\n[+]MaxAuthTries 4$/m,
    );
  });

  it('has two slots that are what was signed', async () => {
    const said = await lab.machine.check('pinectl verify', 600);
    console.log(`verify: ${said}`);
    expect(said).toMatch(/^slot b, running: whole: /m);
    expect(said).toMatch(/^slot a: whole: /m);
  });

  it('has nothing to do when it is asked again', async () => {
    const sent = lab.web.sent();
    await lab.machine.check('pinectl upgrade');
    expect(lab.machine.boots).toBe(2);
    expect(lab.web.sent() - sent).toBeLessThan(1_000_000);
  });

  it('goes back when it is told to, and holds what it left', async () => {
    const boots = lab.machine.boots;
    await lab.machine.check('pinectl rollback --no-reboot');
    expect(lab.machine.boots).toBe(boots);
    lab.machine.send('reboot');
    await lab.machine.waitForBoot();
    const { running, held } = await lab.status();
    expect(running).toMatchObject({ slot: 'a', choice: 'order' });
    expect(held).toHaveLength(1);
    expect(await findings(ssh)).toBe(found);
    expect(await sshSettings(ssh)).toBe(
      'clientaliveinterval 0, logingracetime 90, maxauthtries 4, maxsessions 10',
    );
    await expect(ssh.run('root', 'id metrics')).rejects.toThrow();
    const again = await lab.machine.run('pinectl upgrade');
    expect(again).toMatchObject({ status: 6 });
    expect(again.output).toMatch(/^STATE_HELD/m);
  });

  it('stages it again, and then tries a kernel argument, which does not pass', async () => {
    const check = '/etc/pine/health.d/50-argument';
    await lab.machine.check(
      `printf '%s\\n' '#!/bin/sh' 'cp /proc/cmdline /var/tried; ! grep -ow pine-test.bad /proc/cmdline' >${check}
       chmod 755 ${check}`,
    );
    await lab.follow('server', { tries: 1 });
    await lab.machine.check('pinectl upgrade --retry --no-reboot', 600);
    const said = await lab.machine.check('pinectl kargs --append=pine-test.bad --no-reboot 2>&1');
    expect(said).toMatch(/an upgrade is staged/);
    expect(await lab.machine.check('pinectl kargs 2>/dev/null')).toMatch(/ pine-test[.]bad$/m);
    await editSshd(lab, '#MaxSessions 10', 'MaxSessions 7');

    // No shutdown: nothing is armed but the argument.
    await lab.machine.kill();
    await lab.web.close();
    lab = await Lab.resume(folder, lab.disk, options);
    await lab.machine.waitForBoot({ after: 1 });
    expect(await lab.machine.check('cat /var/tried')).toMatch(/ pine-test[.]bad /);
    expect(await lab.machine.check('cat /proc/cmdline')).not.toContain('pine-test.bad');
    const { running, history, held, staged } = await lab.status();
    expect(running).toMatchObject({ slot: 'a', choice: 'order' });
    expect(history.at(-1)).toMatchObject({
      kind: 'fell-back',
      reason: expect.stringMatching(/50-argument failed: exit 1: .*pine-test[.]bad/),
    });
    expect(held).toEqual([]);
    expect(staged).toMatchObject({ slot: 'b' });
  });

  it('S8: boots what was staged after the next reboot, with what was edited before the power cut', async () => {
    await lab.follow('server');
    lab.machine.send('reboot');
    await lab.machine.waitForBoot();
    const { running, history } = await lab.status();
    expect(running).toMatchObject({ slot: 'b', choice: 'trial' });
    expect(history.at(-1)).toMatchObject({ kind: 'confirmed' });
    expect(await findings(ssh)).toBe(found);
    expect(await sshSettings(ssh)).toBe(
      'clientaliveinterval 300, logingracetime 90, maxauthtries 4, maxsessions 7',
    );
    expect(await ssh.run('root', 'id metrics')).toMatch(/^uid=321\(metrics\)/);
    expect(await lab.machine.check('cat /etc/kept /srv/kept /var/kept')).toBe('kept\nkept\nkept');
  });
});

/** Bytes that the kernel has read from a partition's device since it started. */
async function bytesRead(lab: Lab, name: string): Promise<number> {
  return Number(await lab.machine.check(`awk '{ print $3 * 512 }' ${sysfs(name)}/stat`));
}

/** Bytes of the squashfs image in a slot, by its superblock. */
async function imageSize(lab: Lab, name: string): Promise<number> {
  const device = `/dev/$(basename ${sysfs(name)})`;
  const bytes = await lab.machine.check(`dd if=${device} bs=8 skip=5 count=1 2>/dev/null | base64`);
  return Number(Buffer.from(bytes, 'base64').readBigUInt64LE());
}

/** The folder of a partition in /sys, by its name. */
function sysfs(name: string): string {
  return `$(dirname "$(grep -lx PARTNAME=${name} /sys/class/block/*/uevent)")`;
}
