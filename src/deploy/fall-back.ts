import { type Attempt, waitingStage } from './attempts.ts';
import type { Running } from './machine.ts';

/** What is known about a trial that ended with another deployment running. */
export interface Evidence {
  readonly running: Pick<Running, 'skipped' | 'watchdogFired'>;
  /** The trial's block. */
  readonly block: number;
  readonly tries: number;
  readonly attempts: readonly Attempt[];
  /** What a kernel said as it panicked, where the firmware kept it. */
  readonly panic?: string | undefined;
}

const skips: Readonly<Record<string, string>> = {
  hash: 'its kernel, initramfs or boot script did not match their hashes',
  save: 'the boot loader could not count down its tries',
  load: 'the boot loader could not load its kernel or initramfs',
  block: 'its argument block could not be read',
};

/**
 * Why a trial did not last, in words for `status` and the history; never empty. It says what is on record and no more: a
 * panic, a reset and a power cut leave no line, so that it is told how far it came.
 */
export function explainFallBack({ running, block, tries, attempts, panic }: Evidence): string {
  const skip = running.skipped.find((entry) => entry.block === block)?.why;
  const refused = skip !== undefined && skip !== 'tries';
  const ends = splitAttempts(attempts).map(describeEnd);
  const [main, last] = [ends.reduce(laterOrFurther, nothingKnown), ends.at(-1)];
  const parts: string[] = [];
  if (refused) parts.push(skips[skip] ?? `the boot loader passed it over (${skip})`);
  if (!refused) parts.push(main.text);
  else if (ends.length > 0) parts.push(`before that: ${main.text}`);
  if (last !== undefined && last.text !== main.text) parts.push(`the last attempt: ${last.text}`);
  if (panic !== undefined) parts.push(`the kernel said: ${panic}`);
  if (running.watchdogFired) parts.push('the hardware watchdog reset the machine');
  if (!refused && tries === 0) parts.push('no tries were left');
  return parts.join('; ');
}

/** Of a trial that was confirmed: how the attempts before that one ended, each end once; usually there were none. */
export function describeEarlier(attempts: readonly Attempt[]): readonly string[] {
  const ends = splitAttempts(attempts).slice(0, -1).map(describeEnd);
  return [...new Set(ends.map(({ text }) => `an attempt before: ${text}`))];
}

/** How an attempt ended, and how much that says about the trial. */
interface End {
  readonly rank: number;
  readonly text: string;
}

const nothingKnown: End = {
  rank: -1,
  text: 'nothing is on record of it: it ended before its initramfs had the data partition',
};

/** Of the attempts the one counts that says most, of several the last. */
function laterOrFurther(one: End, other: End): End {
  return other.rank >= one.rank ? other : one;
}

/** A new attempt begins with each start of the initramfs. */
function splitAttempts(attempts: readonly Attempt[]): readonly (readonly string[])[] {
  const found: string[][] = [];
  for (const { stage } of attempts) {
    const current = found.at(-1);
    if (current === undefined || stage === 'initramfs') found.push([stage]);
    else current.push(stage);
  }
  return found;
}

function describeEnd(stages: readonly string[]): End {
  const health = stages.findLast((stage) => stage.startsWith('health '));
  if (health !== undefined) return { rank: 5, text: health };
  const reached = describeReached(stages);
  if (!stages.includes('deadline')) return { ...reached, text: `it stopped: ${reached.text}` };
  return { rank: 4, text: `it was not confirmed before its deadline (${reached.text})` };
}

function describeReached(stages: readonly string[]): End {
  if (stages.includes(waitingStage)) {
    return { rank: 3, text: 'its health checks passed, and nobody logged in' };
  }
  if (stages.includes('userspace')) {
    const check = stages.findLast((stage) => stage.startsWith('checking '))?.slice(9);
    const which = check === undefined ? 'its health checks' : `its health check ${check}`;
    return { rank: 3, text: `userspace came up, ${which} did not end` };
  }
  if (stages.includes('handed-over')) {
    return { rank: 2, text: 'the initramfs handed over, boot-complete did not begin' };
  }
  const failed = stages.findLast((stage) => stage.startsWith('initramfs failed: '))?.slice(18);
  const text =
    failed === undefined
      ? 'the initramfs started and did not hand over'
      : `the initramfs gave up, ${failed}`;
  return { rank: 1, text };
}
