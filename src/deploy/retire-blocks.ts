import type { Machine } from './machine.ts';
import type { Situation } from './situation.ts';

/**
 * Empties the argument blocks of the running slot that the choice does not name: kernel arguments that were tried and
 * left. An emergency boot, which has no choice to go by, takes the first block of a slot: it must not be one of those.
 */
export async function retireBlocks(
  { bootLoader, running }: Pick<Machine, 'bootLoader' | 'running'>,
  { choice, deployments }: Pick<Situation, 'choice' | 'deployments'>,
): Promise<void> {
  if (choice === undefined || !choice.order.includes(running.block ?? 0)) return;
  for (const { block, slot } of deployments) {
    if (slot === running.slot && !choice.order.includes(block)) {
      await bootLoader.clearDeployment(block);
    }
  }
}
