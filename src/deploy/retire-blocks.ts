import type { Machine } from './machine.ts';
import { isPinned } from './pins/pins.ts';
import type { Situation } from './situation.ts';

/**
 * Empties the argument blocks of the running slot that the choice does not name: kernel arguments that were tried and
 * left, and are not pinned. An emergency boot, which has no choice to go by, takes the first block of a slot: it must not be one of those.
 */
export async function retireBlocks(
  { bootLoader, running }: Pick<Machine, 'bootLoader' | 'running'>,
  { choice, deployments, pins }: Pick<Situation, 'choice' | 'deployments' | 'pins'>,
): Promise<void> {
  if (choice === undefined || !choice.order.includes(running.block ?? 0)) return;
  for (const { id, block, slot } of deployments) {
    if (slot === running.slot && !choice.order.includes(block) && !isPinned(pins, id)) {
      await bootLoader.clearDeployment(block);
    }
  }
}
