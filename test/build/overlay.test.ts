import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assetNames } from '../../scripts/build/assets.ts';
import { bundleModules, quickCommands } from '../../scripts/build/bundle.ts';
import { makeOverlay } from '../../scripts/build/overlay.ts';
import { encodeTar } from '../../scripts/build/tar.ts';

const project = resolve(import.meta.dirname, '../..');

describe('npm run build', () => {
  let folder: string;
  let overlay: Buffer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pine-overlay-'));
    overlay = makeOverlay(project, await bundleModules(project));
    writeFileSync(join(folder, 'overlay.tar.gz'), overlay);
    execFileSync('tar', ['-xzf', 'overlay.tar.gz', '-C', folder], { cwd: folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the same sources give the same overlay', async () => {
    expect(makeOverlay(project, await bundleModules(project)).equals(overlay)).toBe(true);
  });

  test('everything is owned by root, has time 0, and is where a machine looks for it', () => {
    const env = { ...process.env, TZ: 'UTC' };
    const list = execFileSync('tar', ['-tvzf', join(folder, 'overlay.tar.gz')], { env }).toString();
    const lines = list.trim().split('\n');
    expect(lines.filter((line) => !/ root\/root +\d+ 1970-01-01 00:00 /.test(line))).toEqual([]);
    const names = lines.map((line) => line.replace(/^.* 00:00 /, ''));
    expect(names).toEqual(names.toSorted());
    expect(names).toContain('usr/lib/pine/pinectl.mjs');
    expect(names.filter((name) => name.startsWith('usr/lib/pine/parts/')).length).toBeGreaterThan(
      50,
    );
    expect(names).toContain(
      'etc/runlevels/default/pine-boot-complete -> /etc/init.d/pine-boot-complete',
    );
    for (const name of ['data/', 'usr/etc/', 'etc/pine/keys/', 'etc/pine/pinectl.toml']) {
      expect(names).toContain(name);
    }
  });

  test('pinectl runs from it alone, and the texts that it ships with are inside', () => {
    const pinectl = join(folder, 'usr/lib/pine/pinectl.mjs');
    const { stdout, stderr } = spawnSync(process.execPath, [pinectl, '--version'], {
      cwd: '/',
      env: {},
    });
    expect(stderr.toString()).toBe('');
    expect(stdout.toString().trim()).toMatch(/^\d+\.\d+\.\d+$/);
    expect(assetNames(join(project, 'src'))).toEqual(
      expect.arrayContaining(['src/boot/grub/pine.cfg', 'src/build/initramfs/init.sh']),
    );
  });

  test.each(['status', 'status --help', 'status --output x', 'history --json', '--version'])(
    'quick.mjs does for `%s` what pinectl.mjs does',
    (line) => {
      const args = line.split(' ');
      const run = (file: string) => {
        const path = join(folder, 'usr/lib/pine', file);
        const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
          cwd: '/',
        });
        return [status, stdout.toString(), stderr.toString()];
      };
      const [status, stdout, stderr] = run('pinectl.mjs');
      expect(`${stdout}${stderr}`).not.toMatch(/IO_UNEXPECTED/);
      expect(run('quick.mjs')).toEqual([status, stdout, stderr]);
    },
  );

  test('/usr/bin/pinectl starts quick.mjs for what that has, and nothing else', () => {
    const script = readFileSync(join(folder, 'usr/bin/pinectl'), 'utf8');
    expect(/^(.*)\) exec node \/usr\/lib\/pine\/quick\.mjs "\$@" ;;$/m.exec(script)?.[1]).toBe(
      quickCommands.join(' | '),
    );
    const path = join(folder, 'usr/lib/pine/quick.mjs');
    for (const command of quickCommands) {
      const { stdout } = spawnSync(process.execPath, [path, command, '--help'], { cwd: '/' });
      expect(stdout.toString()).toMatch(`Usage: pinectl ${command}`);
    }
  });

  test('the scripts are executable and a shell can read them', () => {
    const scripts = [
      'usr/bin/pinectl',
      'etc/init.d/pine-boot-complete',
      'etc/init.d/pine-finalize-staged',
      'etc/init.d/pine-first-login',
      'etc/periodic/15min/pine-upgrade',
      'usr/lib/pine/apk',
      'usr/lib/pine/first-login',
      'usr/lib/pine/health.d/10-services',
      'usr/lib/pine/health.d/20-remote-login',
    ];
    for (const script of scripts) {
      expect(statSync(join(folder, script)).mode & 0o777).toBe(0o755);
      expect(spawnSync('sh', ['-n', join(folder, script)]).status).toBe(0);
    }
  });
});

test('encodeTar refuses a name that the format cannot hold', () => {
  expect(() => encodeTar([{ kind: 'directory', path: 'n'.repeat(100), mode: 0o755 }])).toThrow(
    RangeError,
  );
});
