import { PineError } from '../error.ts';
import type { Progress } from '../ports/progress.ts';
import type { Numbered } from './deployments.ts';
import type { Machine } from './machine.ts';
import { isPinned } from './pins/pins.ts';
import { describeChoice } from './refusals.ts';
import type { Situation } from './situation.ts';
import { readSlot, verifySlot } from './slot-contents.ts';

/**
 * The deployment to go back to: the next one in the order that is confirmed, or else one in the other slot of
 * which the history says so and that is not held, or one that was pinned, which only a confirmed one can be. Its slot
 * must hold what it promises. Throws STATE_NOTHING_TO_GO_BACK_TO.
 */
export async function findConfirmed(
  machine: Machine,
  { choice, deployments, pins, state }: Situation,
  progress: Progress | undefined,
): Promise<Numbered> {
  const { running } = machine;
  const listed = (choice?.order ?? [])
    .filter((block) => block !== running.block && block !== choice?.trial?.block)
    .map((block) => deployments.find((deployment) => deployment.block === block))
    .filter((deployment) => deployment !== undefined);
  const remembered = deployments.filter(({ block, slot, id, commit }) => {
    if (choice?.order.includes(block) || block === running.block) return false;
    if (isPinned(pins, id)) return true;
    const last = state.history.findLast((event) => event.deployment === id);
    const held = state.held.some((hold) => hold.commit === commit);
    return slot !== running.slot && last?.kind === 'confirmed' && !held;
  });
  const problems: string[] = [];
  for (const candidate of [...listed, ...remembered]) {
    const problem = await problemOf(machine, candidate, progress);
    if (problem === undefined) return candidate;
    problems.push(`${candidate.id}: ${problem}`);
  }
  throw new PineError('STATE_NOTHING_TO_GO_BACK_TO', 'there is no confirmed deployment to go to', {
    expected: 'another deployment that was confirmed, and whole',
    found: problems.length > 0 ? problems.join('; ') : describeChoice(choice),
    where: 'the boot choice and the other slot',
    remedy: 'go forward instead: pinectl upgrade',
  });
}

async function problemOf(
  machine: Machine,
  { slot, commit }: Numbered,
  progress: Progress | undefined,
): Promise<string | undefined> {
  try {
    const contents = await readSlot(machine.slots[slot]);
    if (contents === undefined) return `slot ${slot} has no trailer`;
    if (contents.checksum !== commit) return `slot ${slot} holds commit ${contents.checksum}`;
    // The running slot is being read all the time; reading it through would prove nothing more.
    if (slot !== machine.running.slot) {
      await verifySlot(machine.slots[slot], contents.image, progress);
    }
    return undefined;
  } catch (error) {
    if (error instanceof PineError) return error.message;
    throw error;
  }
}
