import { spawn } from 'node:child_process';
import { FailedParts } from './failed-parts.ts';
import type { ProgramOptions, ProgramResult } from './machine.ts';

/** Characters of a program's output that are kept, the last ones, and of those that are told. */
const keptOutput = 2048;
const toldOutput = 200;

/** Seconds that a killed program has to go. One that waits for a dead disk in the kernel never does. */
const grace = 2;

/**
 * Runs one health check or hook. When its time is up its whole process group is killed, since a shell script
 * leaves its children behind. It is over when the program itself has ended, whoever still holds its output open.
 * Never rejects, and never waits longer than its time and the grace. Time is the kernel's monotonic one.
 */
export function runProgram(
  path: string,
  timeoutSeconds: number,
  { parameters = [], environment = {} }: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(path, parameters, {
      cwd: '/',
      detached: true, // a session and process group of its own
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    const failedParts = new FailedParts();
    const keep = (piece: Buffer) => {
      output = (output + piece.toString('utf8')).slice(-keptOutput);
    };
    child.stdout.on('data', (piece: Buffer) => {
      keep(piece);
      failedParts.add(piece.toString('latin1'));
    });
    child.stderr.on('data', keep);
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is gone.
      }
    };
    let timer = setTimeout(() => {
      timedOut = true;
      killGroup();
      timer = setTimeout(
        () => end(false, `no answer within ${timeoutSeconds} s, and it can not be killed`),
        grace * 1000,
      );
    }, timeoutSeconds * 1000);
    const end = (passed: boolean, how: string) => {
      clearTimeout(timer);
      killGroup(); // what a program leaves running would hold its pipes open
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      const said = lastWords(output);
      const detail = said === '' ? how : `${how}: ${said}`;
      const parts = passed ? [] : failedParts.names;
      resolve({ passed, detail, ...(parts.length > 0 && { parts }) });
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

/** The last lines of an output in one, as many as fit; of the last one at least its beginning. */
function lastWords(output: string): string {
  const lines = output
    .split('\n')
    // No escape sequence of a program reaches the terminal of whoever asks for the status.
    .map((line) => line.replace(/\p{Cc}+/gu, ' ').trim())
    .filter((line) => line !== '');
  let told = (lines.pop() ?? '').slice(0, toldOutput);
  for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
    if (line.length + told.length + 2 > toldOutput) break;
    told = `${line}; ${told}`;
  }
  return told;
}
