import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { projectFolder } from '../../scripts/root/programs.ts';
import { DebianChroot, refusalsOf } from './harness/debian-chroot.ts';
import { unableToTakeOver } from './harness/debian-machine.ts';

const { folder = '/nowhere' } = inject('e2e');
const work = join(folder, 'runs', 'hijack-refusals');

// Debian's own programs on a real disk that is not fit, on this host's kernel. hijack-storage.test.ts has what needs another.
describe.skipIf(unableToTakeOver !== undefined)('a Debian that can not be taken over', () => {
  let debian: DebianChroot;
  let before: string;
  const look = 'ls -A /boot /boot/grub; sha256sum /boot/grub/grub.cfg';
  const hijack = 'pinectl hijack --check --json';
  /** What is refused once `prepare` was run, in a name space that ends with it. */
  const refused = async (prepare = ':', command = hijack) =>
    refusalsOf(await debian.check(`{ ${prepare}; } >/dev/null && ${command} 2>/dev/null || true`));

  beforeAll(async () => {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    debian = await DebianChroot.start(work, join(projectFolder, 'dist/pinectl-linux-x64'));
    before = await debian.check(look);
  });
  afterAll(async () => {
    await debian?.[Symbol.asyncDispose]();
    if (process.env.PINE_E2E_FOLDER === undefined) rmSync(work, { recursive: true, force: true });
  });

  test('none at first, and nothing changes by looking', async () => {
    expect(await refused()).toEqual([]);
    expect(await debian.check(look)).toBe(before);
  });

  test('not root, another disk, a container', async () => {
    const asAdmin = `setpriv --reuid 1000 --regid 1000 --clear-groups ${hijack}`;
    expect((await refused(':', asAdmin))[0]).toBe('STATE_NOT_ROOT: user 1000');
    expect(await refused(':', `${hijack} --disk /dev/vdz`)).toEqual(['INPUT_OTHER_DISK: /dev/vdz']);
    // As lxc starts the first process of one
    const contained = `unshare --pid --fork --mount-proc env container=lxc ${hijack}`;
    expect(await refused(':', contained)).toEqual(['STATE_CONTAINER: lxc']);
  });

  test('a root that is read-only', async () => {
    expect(await refused('mount -o remount,bind,ro /')).toEqual([
      'STATE_READ_ONLY_ROOT: mounted ro',
    ]);
  });

  test('files on a partition with the type of swap, and /boot on it; swap there goes', async () => {
    const second = `${debian.loop}p2`;
    await debian.check(`mkfs.ext4 -q ${second}`);
    // lsblk knows what is on it where udev runs.
    expect((await refused(`mount ${second} /srv`))[0]).toMatch(
      /^INPUT_FOREIGN_PARTITION: \/dev\/loop\d+p2 \(.* on \/srv\)$/,
    );
    expect((await refused(`mount ${second} /boot`))[0]).toBe(
      `INPUT_BOOT_PARTITION: ext4 on ${second}`,
    );
    await debian.check(`wipefs -qa ${second} && mkswap -q ${second}`);
    expect(await refused()).toEqual([]);
  });

  test('a disk that is too small, by how much', async () => {
    const text = await refused('fallocate -l 1200M /filler && sync');
    await debian.check('rm /filler; sync');
    expect(text[0]).toMatch(/^SPACE_HIJACK: \d+ bytes: \d+ too few$/);
  });

  test('no GRUB; one without custom.cfg, until what was said is done', async () => {
    expect(await refused('mv /boot/grub/grub.cfg /run')).toEqual([
      'NOT_FOUND_GRUB: no /boot/grub/grub.cfg',
    ]);
    await debian.check('cp -p /run/grub.cfg /boot/grub');
    expect(await refused('chmod -x /etc/grub.d/41_custom && update-grub 2>&1')).toEqual([
      'INPUT_TAKE_OVER: none',
    ]);
    expect(await refused('chmod +x /etc/grub.d/41_custom && update-grub 2>&1')).toEqual([]);
    await debian.check('cp -p /run/grub.cfg /boot/grub');
    expect(await debian.check(look)).toBe(before);
  });

  test('kexec without the program', async () => {
    expect(await refused(':', `${hijack} --kexec`)).toEqual(['PROGRAM_MISSING: no such program']);
  });
});
