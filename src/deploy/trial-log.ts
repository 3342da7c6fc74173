import { appendAttempt } from './attempts.ts';
import type { Machine } from './machine.ts';
import { attemptsFile } from './paths.ts';

/** Whether the operating system refused something, and did not find a defect of ours. */
export function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/**
 * Adds a step to the log of the running trial. One that can't be written is no reason to fail: that is told, and
 * `false` means that the data partition is lost (S11), not that it is full.
 */
export async function logTrial(
  machine: Machine,
  stage: string,
  note: (text: string) => void,
): Promise<boolean> {
  const { files, clock, running } = machine;
  const path = attemptsFile(machine, running.deployment);
  try {
    await appendAttempt(files, path, { time: clock.now(), stage });
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    note(`the log of the trial can not be written: ${error.message}`);
    return error.code !== 'EROFS' && error.code !== 'EIO';
  }
}
