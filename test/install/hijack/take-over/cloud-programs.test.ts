import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedAlpine } from '../../../../scripts/root/programs.ts';
import { switchedOff } from '../../../../src/install/hijack/take-over/cloud-programs.ts';

const packages = join(sharedAlpine, 'apks/x86_64');
const names = (() => {
  try {
    return readdirSync(packages).filter((name) => /^tiny-cloud-(\d|nocloud)/.test(name));
  } catch {
    return [];
  }
})();

// Alpine's own package, of which the phase that comes before sshd is run in a folder.
describe.skipIf(names.length === 0)('tiny-cloud', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'pine-tiny-cloud-'));
    for (const name of names) {
      execFileSync('tar', ['-xzf', join(packages, name), '-C', root], { stdio: 'ignore' });
    }
    put('etc/hostname', 'debian-vps\n');
    put('home/alpine/.ssh/authorized_keys', 'carried over\n');
    const account = `alpine:x:1000:1000::/home/alpine:/bin/sh`;
    program('imds', 'case $1 in @hostname) echo cloud ;; @ssh-keys) echo its own ;; esac');
    program('getent', `echo ${account}`);
    program('logger', 'true');
    for (const name of ['hostname', 'chown']) program(name, 'true');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  function program(name: string, text: string): void {
    put(`programs/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(join(root, 'programs', name), 0o755);
  }
  const firstBoot = () => {
    const env = { PATH: `${root}/programs:${process.env.PATH}`, ROOT: root, LIBDIR: `${root}/lib` };
    execFileSync('sh', [join(root, 'sbin/tiny-cloud'), 'main'], {
      ...{ stdio: 'ignore', env: { ...env, CLOUD: 'nocloud', MOCK: 'true' } },
    });
    return ['etc/hostname', 'home/alpine/.ssh/authorized_keys'].map((path) =>
      readFileSync(join(root, path), 'utf8'),
    );
  };

  const carriedOver = ['debian-vps\n', 'carried over\n'];

  test('leaves alone what was carried over, which it replaces otherwise', () => {
    const settings = readFileSync(join(root, 'etc/tiny-cloud.conf'), 'utf8');
    const tinyCloud = new Map([['/etc/tiny-cloud.conf', settings]]);
    for (const { path, content } of switchedOff({ cloudInit: false, tinyCloud })) {
      put(path, String(content));
    }
    expect(firstBoot()).toEqual(carriedOver);
    // As one before 3.0.4, which knows no such file.
    rmSync(join(root, 'etc/tiny-cloud.disabled'));
    expect(firstBoot()).toEqual(carriedOver);
    put('etc/tiny-cloud.conf', settings);
    expect(firstBoot()).toEqual(['cloud\n', 'its own\n']);
  });
});
