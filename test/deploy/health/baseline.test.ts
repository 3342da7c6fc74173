import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { baselineOf, newFailures } from '../../../src/deploy/health/baseline.ts';

const services = join(import.meta.dirname, '../../../overlay/usr/lib/pine/health.d/10-services');

it('a baseline names parts where there are any, and whole checks where they would be too many', () => {
  const outcomes = [
    { name: 'web', passed: false },
    { name: '10-services', passed: false, parts: ['nginx', 'ntpd'] },
    { name: 'sshd', passed: true },
  ];
  expect(baselineOf(outcomes)).toEqual(['web', '10-services/nginx', '10-services/ntpd']);
  const long = 'x'.repeat(200);
  expect(baselineOf([{ name: long, passed: false, parts: [long] }])).toEqual([long]);
  const many = Array.from({ length: 5 }, (_, check) => ({
    name: `check-${check}`,
    passed: false,
    parts: Array.from({ length: 50 }, (_, part) => `part-${part}`),
  }));
  expect(baselineOf(many)).toEqual(many.map(({ name }) => name));
});

it('what was in the baseline as a whole has no new failures, and what names no parts failed as a whole', () => {
  const check = { name: 'web', passed: false };
  expect(newFailures({ ...check, parts: ['a', 'b'] }, ['web/b'])).toEqual(['a']);
  expect(newFailures({ ...check, parts: ['a'] }, ['web'])).toEqual([]);
  expect(newFailures(check, ['web'])).toEqual([]);
  expect(newFailures(check, ['web/a'])).toBeUndefined();
});

it.each([
  { failed: ['chronyd', 'nginx'], crashed: 'nginx\n', status: 1, names: ['chronyd', 'nginx'] },
  { failed: [], crashed: 'sshd\n', status: 1, names: ['sshd'] },
  { failed: [], crashed: '', status: 0, names: [] },
])(
  '10-services names each service that does not run',
  async ({ failed, crashed, status, names }) => {
    const folder = mkdtempSync(join(tmpdir(), 'pine-services-'));
    try {
      // OpenRC's places and programs, as the check asks for them.
      const program = (name: string, text: string) =>
        writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      mkdirSync(join(folder, 'failed'));
      program('ls', failed.map((name) => `echo ${name}`).join('\n'));
      program('rc-status', `printf '%b' '${crashed.replaceAll('\n', '\\n')}'`);
      const result = await new Promise<{ status: number; out: string }>((resolve) => {
        const env = { PATH: `${folder}:/usr/bin:/bin` };
        execFile('sh', [services], { env }, (error, out) =>
          resolve({ status: Number(error?.code ?? 0), out }),
        );
      });
      expect(result.status).toBe(status);
      expect(result.out).toBe(names.map((name) => `failed: ${name}\n`).join(''));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
