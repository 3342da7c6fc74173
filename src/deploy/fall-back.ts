import type { Attempt } from './attempts.ts';
import type { Running } from './machine.ts';

/** What is known about a trial that ended with another deployment running. */
export interface Evidence {
  readonly running: Pick<Running, 'skipped' | 'watchdogFired'>;
  /** The trial's block. */
  readonly block: number;
  readonly tries: number;
  readonly attempts: readonly Attempt[];
}

const skips: Readonly<Record<string, string>> = {
  hash: 'its kernel, initramfs or boot script did not match their hashes',
  save: 'the boot loader could not count down its tries',
  load: 'the boot loader could not load its kernel or initramfs',
  block: 'its argument block could not be read',
};

/** Why a trial did not last, in words for `status` and the history; never empty. */
export function explainFallBack({ running, block, tries, attempts }: Evidence): string {
  const skip = running.skipped.find((entry) => entry.block === block)?.why;
  const refused = skip !== undefined && skip !== 'tries';
  const parts = [
    refused ? (skips[skip] ?? `the boot loader passed it over (${skip})`) : furthest(attempts),
  ];
  if (refused && attempts.length > 0) parts.push(`before that: ${furthest(attempts)}`);
  if (running.watchdogFired) parts.push('the hardware watchdog reset the machine');
  if (!refused && tries === 0) parts.push('no tries were left');
  return parts.join('; ');
}

/** Health and deadline say more than any stage; otherwise the furthest stage of all attempts counts. */
function furthest(attempts: readonly Attempt[]): string {
  const stages = attempts.map((attempt) => attempt.stage);
  const health = stages.findLast((stage) => stage.startsWith('health '));
  if (health !== undefined) return health;
  if (stages.includes('deadline')) {
    return `it was not confirmed before its deadline (${reached(stages)})`;
  }
  return `it stopped: ${reached(stages)}`;
}

function reached(stages: readonly string[]): string {
  if (stages.includes('userspace')) {
    const check = stages.findLast((stage) => stage.startsWith('checking '))?.slice(9);
    const which = check === undefined ? 'its health checks' : `its health check ${check}`;
    return `userspace came up, ${which} did not end`;
  }
  if (stages.includes('handed-over')) return 'the initramfs handed over, userspace did not come up';
  if (stages.includes('initramfs')) return 'the initramfs started and did not hand over';
  return 'the kernel was started and never reached its initramfs';
}
