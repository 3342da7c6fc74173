import { PineError } from '../../error.ts';
import type { Numbered } from '../deployments.ts';

/** No argument block can be written without taking one away that may be booted. */
export function noFreeBlock(order: readonly number[]): PineError {
  return new PineError('STATE_NO_BLOCK', 'no argument block is free', {
    expected: 'one of four that the boot choice does not name',
    found: `order ${order.join(' ')}`,
    where: 'the boot partition',
    remedy: 'roll back to, or confirm, one of the deployments',
  });
}

/** What is armed would be lost by what was asked for. */
export function refuseArmed({ id, slot }: Numbered): PineError {
  return new PineError('STATE_ARMED', 'a deployment is armed and waits for its reboot', {
    expected: 'none that waits',
    found: `deployment ${id} in slot ${slot}`,
    where: 'the boot choice',
    remedy: 'reboot into it first, or give it up: pinectl rollback',
  });
}
