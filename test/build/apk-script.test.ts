import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedAlpine } from '../../scripts/root/programs.ts';
import { missing } from '../support/requirements.ts';

const archive = join(sharedAlpine, 'alpine-minirootfs-3.20.3-x86_64.tar.gz');
const script = resolve(import.meta.dirname, '../../overlay/usr/lib/pine/apk');
const init = resolve(import.meta.dirname, '../../src/build/initramfs/init.sh');

describe.skipIf(missing('root', 'alpine') !== undefined)('apk on a booted machine', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'pine-apk-'));
    execFileSync('tar', ['-xzf', archive, '-C', root]);
    mkdirSync(join(root, 'usr/lib/pine'), { recursive: true });
    copyFileSync(script, join(root, 'usr/lib/pine/apk'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** Runs a command in the root as it is after a boot: read-only, with what the initramfs mounts. */
  function booted(command: string) {
    const text = readFileSync(init, 'utf8');
    const mounts = /^for apk in [^\n]*\n(?:.*\n)*?done$/m.exec(text)?.[0] ?? '';
    expect(mounts).toContain('mount --bind');
    // The loop leaves the real one in /run, which init then moves into the root.
    const setUp = [
      'set -e',
      `root=${root}`,
      'mount --bind $root $root',
      'mount -o remount,bind,ro $root',
      'mount -t tmpfs tmpfs /run',
      'mkdir /run/pine',
      mounts,
      'mount --rbind /run $root/run',
      'mount -t tmpfs tmpfs $root/tmp',
      'exec chroot $root /bin/sh -c "$1"',
    ].join('\n');
    return spawnSync('unshare', ['--mount', 'sh', '-c', setUp, 'sh', command], {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
  }

  it.each(['apk add nano', 'apk -U add --virtual x nano', '/sbin/apk del curl', 'apk upgrade'])(
    '%s says what to do instead, to scripts too',
    (command) => {
      const { status, stderr, stdout } = booted(`${command}; exit $?`);
      expect(stderr).toMatch(/^pine: `apk (add|del|upgrade)` can not change this system/);
      expect(stderr).toContain('pinectl upgrade');
      expect([status, stdout]).toEqual([1, '']);
    },
  );

  it('goes on telling what is installed', () => {
    const { status, stdout } = booted('apk info && apk info --who-owns /bin/busybox');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^alpine-baselayout$/m);
    expect(stdout).toMatch(/busybox is owned by busybox-/);
    expect(booted('apk --version').stdout).toMatch(/^apk-tools /);
    expect(booted('apk add --help').stdout).toContain('apk add');
  });

  it('works on another root', () => {
    const command = 'apk add --root /tmp/other --initdb --no-network && ls /tmp/other/lib/apk/db';
    const { status, stdout } = booted(command);
    expect(status).toBe(0);
    expect(stdout).toContain('installed');
  });

  it('is itself when the root is built: nothing is in front of it', () => {
    const { status, stdout } = spawnSync('chroot', [root, '/sbin/apk', 'add', '--no-network'], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^OK:/m);
    const onHost = [root, '/sbin/apk', '--root', '/', 'info'];
    expect(spawnSync('chroot', onHost, { encoding: 'utf8' }).stdout).toContain('musl');
  });
});
