import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { visible, visibleName } from '../../src/cli/output.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

describe('pinectl', () => {
  test.each([
    [[], 'SPACE_DEVICE: there is no space left\n'],
    [['--json'], '{"error":{"code":"SPACE_DEVICE"'],
  ])('ends in an error when what it prints to is full: %j', (options, begin) => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [main, 'help', ...options], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      expect(stderr.startsWith(begin), stderr).toBe(true);
      expect(stderr).not.toContain('    at ');
      expect(status).toBe(7);
    } finally {
      closeSync(full);
    }
  });

  test('has help for whoever asks as with git', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    for (const [words, usage] of [
      [['help'], 'Usage: pinectl [options] [command]\n'],
      [['help', 'delta'], 'Usage: pinectl delta [options] [command]\n'],
      [['help', 'delta', 'generate'], 'Usage: pinectl delta generate [options]\n'],
    ] as const) {
      const { status, stdout } = run(...words);
      expect(stdout.startsWith(usage), stdout).toBe(true);
      expect(status).toBe(0);
    }
  });

  test('refuses an argument that is no UTF-8: it would come as another name', () => {
    const script = `exec "$0" "$1" ls --repo "$(printf 'x\\377')"`;
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, main], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^USAGE_COMMAND_LINE: an argument is not UTF-8$/m);
    expect(status).toBe(2);
  });
});

test('a terminal is not obeyed: names are others’ words', () => {
  const text = 'a\x1b[31mred\tb\n\x07\x7f\x9bä';
  expect(visible(text, { isTTY: true })).toBe('a\\x1b[31mred\tb\n\\x07\\x7f\\x9bä');
  expect(visible(text, {})).toBe(text);
  expect(visibleName('a\nb\x1b', { isTTY: true })).toBe('a\\x0ab\\x1b');
  expect(visibleName('a\nb\x1b', {})).toBe('a\nb\x1b');
});
