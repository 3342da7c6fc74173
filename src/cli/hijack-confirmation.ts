import type { Confirmation } from '../install/hijack/take-over/stage.ts';
import { usage } from './hijack-usage.ts';

/** Seconds that a try of the first trial has: time for a person to log in. */
const standardDeadline = 1800;
/** Seconds that a boot and its health checks may take before `--confirm-after` begins to count. */
const leastMargin = 600;
const leastDeadline = 120;
const longest = 86_400;

/** The options of `hijack` that say what confirms the first trial. Seconds. */
export interface ConfirmationOptions {
  readonly confirmAfter?: number;
  readonly loginWithin?: number;
}

/** What confirms the first trial, by the options of the command line. */
export function confirmationOf({
  confirmAfter: after,
  loginWithin,
}: ConfirmationOptions): Confirmation {
  const deadline = loginWithin ?? Math.max(standardDeadline, (after ?? 0) + leastMargin);
  if (deadline >= (after ?? 0) + leastDeadline && deadline <= longest) return { after, deadline };
  throw usage(
    `--login-within from ${leastDeadline} s to 24h, and that much longer than --confirm-after`,
    `--login-within ${deadline}s${after === undefined ? '' : `, --confirm-after ${after}s`}`,
  );
}

/** In words, for whoever prepares a take-over. */
export function describeConfirmation({ after, deadline }: Confirmation): string {
  if (after === 0) return 'pine is kept once it is healthy, in one of two tries';
  const minutes = Math.round(deadline / 60);
  const allowed = after === undefined ? '' : `, or ${after} s after that without one`;
  return `pine is kept once it is healthy and somebody has logged in over SSH${allowed}, in one of two tries of ${minutes} min`;
}
