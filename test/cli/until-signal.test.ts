import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const source = new URL('../../src/cli/until-signal.ts', import.meta.url).href;
const script = `
  const { untilSignal } = await import(${JSON.stringify(source)});
  const work = (stop) => new Promise((_, reject) => {
    const late = setTimeout(() => {}, 60_000);
    stop.addEventListener('abort', () => setTimeout(() => {
      clearTimeout(late);
      console.log('tidied');
      reject(stop.reason);
    }, 50));
    console.log('there');
  });
  await untilSignal(work);`;

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s: what is at work tidies up, and the process dies of it',
  async (signal) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.on('data', (bytes) => {
      if (said === '') child.kill(signal);
      said += bytes;
    });
    expect(await once(child, 'close')).toEqual([null, signal]);
    expect(said).toBe('there\ntidied\n');
  },
);
