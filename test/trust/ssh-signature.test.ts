import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { missing } from '../support/requirements.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-sign-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function pinectl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

/** What OpenSSH's own program says of FILE.sig, with the line of `signers` that docs/hijack.md shows. */
function verify(file: string, key: string) {
  writeFileSync(join(folder, 'signers'), `pine ${key}\n`);
  return spawnSync(
    'ssh-keygen',
    ['-Y', 'verify', '-f', 'signers', '-I', 'pine', '-n', 'file', '-s', `${file}.sig`],
    { cwd: folder, input: readFileSync(join(folder, file)), encoding: 'utf8' },
  );
}

it.skipIf(missing('openssh'))(
  'ssh-keygen accepts what `keys sign` signed, and nothing else',
  () => {
    pinectl('keys', 'generate', '-o', 'release');
    pinectl('keys', 'generate', '-o', 'other');
    const key = pinectl('keys', 'show', '--ssh', 'release.secret');
    expect(pinectl('keys', 'show', '--ssh', 'release.pub')).toBe(key);
    const file = 'a file';
    writeFileSync(join(folder, file), Buffer.alloc(300_000, 'pine'));
    for (const round of ['first', 'again']) {
      expect(pinectl('keys', 'sign', file, '--sign-key', 'release.secret'), round).toBe(
        `${file}.sig`,
      );
      expect(verify(file, key)).toMatchObject({ status: 0 });
    }
    expect(verify(file, pinectl('keys', 'show', '--ssh', 'other.pub')).status).not.toBe(0);
    appendFileSync(join(folder, file), 'x');
    expect(verify(file, key).status).not.toBe(0);
  },
);
