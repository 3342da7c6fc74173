import { PineError } from '../../error.ts';
import type { Conflict } from '../../etc/conflicts.ts';
import type { Numbered } from '../deployments.ts';

/** No argument block can be written without taking one away that may be booted or is pinned. */
export function noFreeBlock(taken: readonly number[]): PineError {
  return new PineError('STATE_NO_BLOCK', 'no argument block is free', {
    expected: 'one of four that is neither in the boot order nor pinned',
    found: `blocks ${[...new Set(taken)].sort().join(' ')} are taken`,
    where: 'the boot partition',
    remedy: 'roll back to, or confirm, one of the deployments, or unpin one: pinectl unpin',
  });
}

/** What is staged or armed would be lost by what was asked for. */
export function refuseArmed({ id, slot }: Pick<Numbered, 'id' | 'slot'>): PineError {
  return new PineError('STATE_ARMED', 'a deployment waits for its reboot', {
    expected: 'none that waits',
    found: `deployment ${id} in slot ${slot}`,
    where: 'the boot choice',
    remedy: 'reboot into it first, or give it up: pinectl rollback',
  });
}

/** Throws STATE_CONFLICTS when there are any, as --strict asks for. */
export function throwOnConflicts(conflicts: readonly Conflict[], where: string): void {
  if (conflicts.length === 0) return;
  const found = conflicts.map(({ path, reason }) => `${path} (${reason})`).join(', ');
  throw new PineError('STATE_CONFLICTS', 'files under /etc can not be merged', {
    expected: 'no conflict, as --strict asks for',
    found: found.slice(0, 2000),
    where,
    remedy: '`pinectl upgrade --plan` tells more; without --strict what is here stays',
  });
}
