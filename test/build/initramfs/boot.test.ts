import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missing } from '../../support/requirements.ts';
import { makeMachine, partitions, type TestMachine, writeAt } from './machine.ts';

const mebibyte = 1 << 20;
const data = partitions.data.start * mebibyte;

/** What debugfs answers about the data partition. */
function debugfs(disk: string, request: string): string {
  const env = { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` };
  const { stdout } = spawnSync('debugfs', ['-R', request, `${disk}?offset=${data}`], { env });
  return stdout.toString();
}

// One disk through its life: each test starts from what the one before left.
describe.skipIf(missing('qemu', 'disk', 'squashfs', 'alpine'))('the initramfs in QEMU', () => {
  let folder: string;
  let machine: TestMachine;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pine-initramfs-'));
    const probe = readFileSync(new URL('./probe.sh', import.meta.url), 'utf8');
    machine = await makeMachine(folder, 'cloud', probe);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a first boot makes /etc and the state folders, and mounts everything in its place', async () => {
    // A disk that likes 4 MiB at a time, for which the kernel would read 8 ahead.
    const devices = ['-global', 'virtio-blk-device.opt_io_size=4194304'];
    const console = await machine.boot({ choice: 'order', arguments: 'probe=change', devices });
    expect(console).toContain('PROBE-END');
    for (const line of [
      ...['deployment=one', 'slot=a', 'block=1', 'choice=order', 'skipped=2:hash,3:tries'],
      ...['partuuid=3b1c9e5a-77d0-4c31-9f6e-0123456789ab', 'disk=vda', 'root_device=/dev/vda2'],
      ...['boot_device=/dev/vda1', 'data_device=/dev/vda5', 'data=ok', 'watchdog=none'],
      ...['watchdog_fired=0', 'deadline=300'],
    ]) {
      expect(console).toMatch(new RegExp(`^boot ${line}\r?$`, 'm'));
    }
    for (const line of [
      ...['/ squashfs ro /dev/vda2', '/usr/etc squashfs ro /dev/vda2', '/data ext4 rw /dev/vda5'],
      ...['/etc ext4 rw /dev/vda5', '/var ext4 rw /dev/vda5', '/home ext4 rw /dev/vda5'],
      ...['/root ext4 rw /dev/vda5', '/srv ext4 rw /dev/vda5', '/opt ext4 rw /dev/vda5'],
      ...['/usr/local ext4 rw /dev/vda5', '/run tmpfs rw tmpfs', '/tmp tmpfs rw tmpfs'],
      ...['/proc proc rw proc', '/sys sysfs rw sysfs', '/dev devtmpfs rw devtmpfs'],
    ]) {
      expect(console).toMatch(new RegExp(`^mount ${line}\r?$`, 'm'));
    }
    expect(console).not.toContain('the slot is writable');
    expect(console).toMatch(/^swap: \/dev\/vda4/m);
    expect(console).toMatch(/^read-ahead: 128;/m);
    expect(console).toMatch(/^service: 750 directory/m);
    expect(console).toMatch(/^template: of the image/m);
    // The rescue copy with the higher number lies over what was made new.
    expect(console).toMatch(/^hostname: rescued-12;/m);
    expect(console).toMatch(/^pristine-hostname: localhost;/m);
    expect(console).toMatch(/^key: key of rescued-12;/m);
    expect(console).toMatch(/^attempts: cat: can't open/m);
  });

  test('S11: a damaged journal is repaired, nothing is lost, and the trial goes on to its deadline', async () => {
    const block = Number(
      /\(0\):(\d+)|\(0-\d+\):(\d+)/.exec(debugfs(machine.disk, 'stat <8>'))?.slice(1).find(Boolean),
    );
    expect(block).toBeGreaterThan(0);
    writeAt(machine.disk, data + block * 1024, Buffer.alloc(64 * 1024, 0xff));
    const console = await machine.boot({
      choice: 'trial',
      arguments: 'probe=hang pine.deadline=12',
    });
    expect(console).toMatch(/^boot data=repaired\r?$/m);
    expect(console).toMatch(/^boot data_detail=.*journal/m);
    expect(console).toMatch(/^hostname: changed;/m);
    expect(console).toMatch(/^mark: kept;/m);
    // What a newer image has under /var is brought along when it is missing, and nothing is written over.
    expect(console).toMatch(/^service: 750 directory/m);
    expect(console).toMatch(/^template: of the image/m);
    // A folder that the administrator listed stays, filled with what the image has; nonsense is passed over.
    expect(console).toMatch(/^mount \/usr\/share\/kept ext4 rw \/dev\/vda5\r?$/m);
    expect(console).toMatch(/^page: of the image/m);
    expect(console).toContain('pine: a line of');
    expect(console).not.toMatch(/^mount \/usr\/share\/nothing/m);
    expect(console).toMatch(/^attempts: \d+ initramfs;\d+ handed-over;/m);
    // Nobody confirmed: the deadline process, which outlived the initramfs, resets the machine.
    expect(console).toContain('pine: the trial was not confirmed within 12 s: rebooting');
    expect(console).not.toContain('still here after a minute');
    const log = debugfs(machine.disk, 'cat /pine/attempts/one.log').trim().split('\n');
    expect(log.map((line) => line.replace(/^\d{10} /, ''))).toEqual([
      'initramfs',
      'handed-over',
      'deadline',
    ]);
  });

  test('S11: with the data partition zeroed it comes up degraded and reachable, and can be confirmed', async () => {
    writeAt(machine.disk, data, Buffer.alloc(partitions.data.size * mebibyte));
    const console = await machine.boot({
      choice: 'trial',
      arguments: 'probe=confirm',
    });
    expect(console).toMatch(/^boot data=degraded\r?$/m);
    expect(console).toMatch(/^boot data_detail=.*(superblock|magic)/im);
    expect(console).toMatch(/^mount \/data tmpfs rw tmpfs\r?$/m);
    expect(console).toMatch(/^mount \/var tmpfs rw tmpfs\r?$/m);
    expect(console).toMatch(/^hostname: rescued-12;/m);
    expect(console).toMatch(/^key: key of rescued-12;/m);
    expect(console).toMatch(/^motd: .*pine: degraded/m);
    // What would have reset the machine is gone.
    expect(console).toContain('pine: the trial is confirmed');
    expect(console).toMatch(/^before confirming: 2 deadline processes\r?$/m);
    expect(console).toMatch(/^after confirming: 0 deadline processes\r?$/m);
  });

  test('a slot that can not be mounted ends a trial by a reset, within seconds', async () => {
    const console = await machine.boot({ choice: 'trial', slot: 'b' });
    expect(console).toContain("pine: can't start: can't mount /dev/vda3 (root-b)");
    expect(console).toContain('reboot: Restarting system');
    expect(console).not.toContain('PROBE');
  });
});
