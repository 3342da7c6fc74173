import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = resolve(import.meta.dirname, '../../overlay/etc/periodic/15min/pine-upgrade');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-periodic-'));
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  put('pinectl', 'echo "$@"; echo on stderr >&2');
  put('sleep', `echo "$1" >${folder}/slept`);
  put('logger', `cat >${folder}/log.new; mv ${folder}/log.new ${folder}/log`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the script of crond with another pinectl.toml. Returns what it printed. */
function run(toml: string): string {
  writeFileSync(join(folder, 'pinectl.toml'), toml);
  const text = readFileSync(script, 'utf8');
  const copy = text.replaceAll('/etc/pine/pinectl.toml', join(folder, 'pinectl.toml'));
  expect(copy).not.toBe(text);
  writeFileSync(join(folder, 'script'), copy);
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('sh', [join(folder, 'script')], { env });
  expect(status).toBe(0);
  return `${stdout}${stderr}`;
}

it.each(['[automatic]\nenabled = true\n', 'automatic = { enabled=true }', ' enabled  = true'])(
  'with %j crond waits a part of its quarter of an hour, then asks pinectl, and logs what it says',
  async (toml) => {
    expect(run(toml)).toBe('');
    await expect.poll(() => existsSync(join(folder, 'log')), { timeout: 20_000 }).toBe(true);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('upgrade --automatic\non stderr\n');
    const seconds = Number(readFileSync(join(folder, 'slept'), 'utf8'));
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(seconds).toBeLessThan(900);
  },
);

it.each(['', '#enabled = true\n', '[automatic]\nenabled = false\n'])(
  'with %j crond starts nothing',
  (toml) => {
    run(toml);
    expect(existsSync(join(folder, 'slept'))).toBe(false);
  },
);
