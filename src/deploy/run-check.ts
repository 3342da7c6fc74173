import { spawn } from 'node:child_process';
import type { CheckResult } from './machine.ts';

/** Bytes of a check's output that are kept, the last ones. */
const keptOutput = 2048;

/**
 * Runs one health check. When its time is up its whole process group is killed, since a shell script leaves
 * its children behind. Never rejects.
 */
export function runCheck(path: string, timeoutSeconds: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const child = spawn(path, [], {
      cwd: '/',
      detached: true, // a process group of its own
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    const keep = (piece: Buffer) => {
      output = (output + piece.toString('utf8')).slice(-keptOutput);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is gone.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, timeoutSeconds * 1000);
    const end = (passed: boolean, how: string) => {
      clearTimeout(timer);
      killGroup(); // what a check leaves running would hold its pipes open
      child.stdout.destroy();
      child.stderr.destroy();
      const said = output.trim().split('\n').at(-1) ?? '';
      resolve({ passed, detail: said === '' ? how : `${how}: ${said}` });
    };
    child.on('error', (error) => end(false, `can't be run (${error.message})`));
    child.on('exit', (code, signal) => {
      // What it printed last may still be on its way through the pipe.
      setImmediate(() => {
        if (timedOut) end(false, `no answer within ${timeoutSeconds} s`);
        else if (signal !== null) end(false, `killed by ${signal}`);
        else end(code === 0, `exit ${code}`);
      });
    });
  });
}
