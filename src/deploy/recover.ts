import { argumentBlocks } from '../boot/choice.ts';
import { PineError } from '../error.ts';
import { freeBlock, type Numbered } from './deployments.ts';
import type { Machine } from './machine.ts';
import { takenBlocks } from './pins/protection.ts';
import { choiceAfter } from './refusals.ts';
import { addOnce, describeEvent } from './settle.ts';
import { markSettled, type Situation } from './situation.ts';
import { readSlot } from './slot-contents.ts';
import { writeState } from './state-files.ts';

/**
 * Writes a fresh boot choice after one that the boot loader could not follow: the deployment that is running
 * comes first, since it is what works. If it has no argument block it gets one.
 */
export async function recoverChoice(machine: Machine, situation: Situation): Promise<void> {
  const { choice, deployments, state } = situation;
  const { bootLoader, running } = machine;
  const own = findOwn(machine, deployments) ?? (await writeOwn(machine, situation));
  const readable = new Set([...deployments.map(({ block }) => block), own.block]);
  const next = choiceAfter(choice, { kind: 'recover', running: own.block });
  await bootLoader.writeChoice({ order: next.order.filter((block) => readable.has(block)) });
  await markSettled(machine);
  if (running.data === 'degraded') return;
  const reason = choice === undefined ? 'the boot choice was damaged' : 'nothing in it could boot';
  await writeState(machine, addOnce(state, await describeEvent(machine, own, 'recovered', reason)));
}

/** The block that the boot loader used, or else one that describes what runs. */
function findOwn(machine: Machine, deployments: readonly Numbered[]): Numbered | undefined {
  const { running } = machine;
  const inSlot = deployments.filter(({ slot }) => slot === running.slot);
  return (
    inSlot.find(({ block }) => block === running.block) ??
    inSlot.find(({ id }) => id === running.deployment)
  );
}

async function writeOwn(machine: Machine, situation: Situation): Promise<Numbered> {
  const { running, bootLoader } = machine;
  const { choice, deployments } = situation;
  const readable = deployments.map(({ block }) => block);
  // A listed block that can't be read boots nothing, but the boot loader protects it: it stays.
  const listed = choice?.order ?? [];
  const block =
    freeBlock(deployments, takenBlocks(situation, listed), running.slot) ??
    freeBlock(deployments, listed, running.slot) ??
    argumentBlocks.find((number) => !readable.includes(number));
  if (block === undefined) {
    throw new PineError('STATE_NO_BLOCK', 'no argument block is free', {
      expected: 'one of four that the boot choice does not name',
      found: `order ${listed.join(' ')}`,
      where: 'the boot partition',
      remedy: 'report this: pine should not have listed all four',
    });
  }
  const contents = await readSlot(machine.slots[running.slot]).catch(() => undefined);
  const deployment = {
    id: running.deployment,
    slot: running.slot,
    kernelArguments: '',
    commit: contents?.checksum ?? '0'.repeat(64),
  };
  await bootLoader.writeDeployment(block, deployment);
  return { ...deployment, block };
}
