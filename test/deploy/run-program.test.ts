import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findExecutables } from '../../src/deploy/executables.ts';
import { runProgram } from '../../src/deploy/run-program.ts';
import { nodeFileSystem as files } from '../../src/ports/node-file-system.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-programs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, text: string, mode = 0o755): string {
  writeFileSync(`${folder}/${name}`, `#!/bin/sh\n${text}\n`);
  chmodSync(`${folder}/${name}`, mode);
  return `${folder}/${name}`;
}

/** A zombie that init has yet to reap does not run. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a health check or a hook', () => {
  it.each([
    ['exit 0', true, 'exit 0'],
    ['echo one; echo two; exit 3', false, 'exit 3: one; two'],
    ['echo why >&2; exit 1', false, 'exit 1: why'],
    ['kill -9 $$', false, 'killed by SIGKILL'],
    ['printf "a\\033[2Jb\\r\\n\\n"; exit 1', false, 'exit 1: a [2Jb'],
    ['seq 1 100000; exit 1', false, /^exit 1: .{150,200}; 99999; 100000$/],
    ['yes | tr -d "\\n" | head -c 9000000; exit 1', false, /^exit 1: y{200}$/],
  ])('%j tells how it ended, with the last lines that it printed', async (text, passed, detail) => {
    const result = await runProgram(script('check', text), 30);
    expect(result.passed).toBe(passed);
    expect(result.detail).toMatch(detail);
    if (typeof detail === 'string') expect(result.detail).toBe(detail);
  });

  it('names what of the things that it looks at failed, each once', async () => {
    const text =
      'echo "failed: nginx"; echo "failed: a b"; echo "failed: nginx"; printf "failed: ntpd"; exit 1';
    const { parts } = await runProgram(script('check', text), 30);
    expect(parts).toEqual(['nginx', 'ntpd']);
    const flood = 'seq 1 100000 | sed "s/^/failed: /"; exit 1';
    expect((await runProgram(script('flood', flood), 30)).parts).toBeUndefined();
    expect((await runProgram(script('none', 'echo "failed: x"'), 30)).parts).toBeUndefined();
  });

  it('that is not there, or not executable, or no program, fails', async () => {
    const none = await runProgram(`${folder}/missing`, 30);
    expect(none).toMatchObject({ passed: false, detail: expect.stringMatching(/ENOENT/) });
    const plain = await runProgram(script('plain', 'exit 0', 0o644), 30);
    expect(plain).toMatchObject({ passed: false, detail: expect.stringMatching(/EACCES/) });
    writeFileSync(`${folder}/text`, 'not a program', { mode: 0o755 });
    expect(await runProgram(`${folder}/text`, 30)).toMatchObject({ passed: false });
  });

  it('gets what it is told, and no input', async () => {
    const path = script('told', 'cat; echo "$1 $PINE_EVENT"; exit 1');
    const environment = { PINE_EVENT: 'a b' };
    expect(await runProgram(path, 30, { parameters: ['-x'], environment })).toEqual({
      passed: false,
      detail: 'exit 1: -x a b',
    });
  });

  it('is killed with all its children when its time is up', async () => {
    const path = script('slow', `sleep 300 & echo $! > ${folder}/child; wait`);
    expect(await runProgram(path, 1)).toEqual({ passed: false, detail: 'no answer within 1 s' });
    const child = readFileSync(`${folder}/child`, 'utf8').trim();
    await expect.poll(() => isRunning(child)).toBe(false);
  });

  it('that ignores every signal that can be ignored ends all the same', async () => {
    const path = script('stubborn', "trap '' TERM HUP INT; while :; do sleep 1; done");
    expect(await runProgram(path, 1)).toMatchObject({ detail: 'no answer within 1 s' });
  });

  it('is not waited for beyond its end, whatever it leaves in the background', async () => {
    const path = script('daemon', `sleep 300 & echo $! > ${folder}/child; exit 0`);
    expect(await runProgram(path, 30)).toEqual({ passed: true, detail: 'exit 0' });
    const child = readFileSync(`${folder}/child`, 'utf8').trim();
    await expect.poll(() => isRunning(child)).toBe(false);
  });

  it('that forks away into a session of its own, its output open, holds nobody up', async () => {
    const away = `setsid sh -c 'echo $$ > ${folder}/away; exec sleep 300' & `;
    const wait = `until [ -s ${folder}/away ]; do sleep 0.05; done`;
    const path = script('forks', `${away}\n${wait}\necho told; exit 4`);
    expect(await runProgram(path, 30)).toEqual({ passed: false, detail: 'exit 4: told' });
    process.kill(Number(readFileSync(`${folder}/away`, 'utf8')), 'SIGKILL');
  });

  it('is judged by the monotonic clock, whatever the time of day does', async () => {
    const realNow = Date.now;
    const path = script('quick', 'sleep 0.3; exit 0');
    const running = runProgram(path, 30);
    Date.now = () => realNow() + 86_400_000;
    try {
      expect(await running).toEqual({ passed: true, detail: 'exit 0' });
    } finally {
      Date.now = realNow;
    }
  });
});

describe('the executables of folders', () => {
  it('are found by name; the first folder counts, and a link to /dev/null takes one out', async () => {
    await mkdir(`${folder}/own`);
    await mkdir(`${folder}/image/wanted.d`, { recursive: true });
    for (const name of [
      ...['own/20-b', 'image/10-a', 'image/20-b', 'image/.hidden', 'image/30-c~', 'image/40-d'],
    ]) {
      script(name, 'exit 1');
    }
    script('image/README', 'exit 1', 0o644);
    symlinkSync('/dev/null', `${folder}/own/40-d`);
    symlinkSync('/nowhere', `${folder}/image/50-dangling`);
    const folders = [`${folder}/own`, `${folder}/image`, `${folder}/none`];
    expect(await findExecutables(files, folders)).toEqual([
      { name: '10-a', path: `${folder}/image/10-a`, folder: `${folder}/image` },
      { name: '20-b', path: `${folder}/own/20-b`, folder: `${folder}/own` },
      {
        name: '50-dangling',
        path: `${folder}/image/50-dangling`,
        folder: `${folder}/image`,
      },
    ]);
    expect(existsSync(`${folder}/image/50-dangling`)).toBe(false);
  });
});
