import type { BootChoice } from '../../boot/choice.ts';
import { freeBlock, type Numbered, newDeploymentId } from '../deployments.ts';
import { askHooks } from '../hooks/run-hooks.ts';
import type { Settings } from '../lenient-configuration.ts';
import type { Machine } from '../machine.ts';
import { isPinned } from '../pins/pins.ts';
import { takenBlocks } from '../pins/protection.ts';
import type { Situation } from '../situation.ts';
import { readSlot } from '../slot-contents.ts';
import { noFreeBlock } from '../upgrade/refuse.ts';
import type { ArmingWork, Work } from '../upgrade/work.ts';

/** What a change writes, with the choice that makes room for it, if there must be one. */
export interface ChangeWork extends ArmingWork, Pick<Work, 'askBeforeArming'> {
  /** The deployment that runs. */
  readonly own: Numbered;
  readonly pruned: BootChoice | undefined;
}

/** What is decided about a change before it is known where it goes. */
export interface ChangeRequest extends Pick<Settings, 'hooks'> {
  readonly kernelArguments: string;
  readonly tries: number;
  /** What failed before it, and so can't fail it: as `baselineOf` gives it. */
  readonly failing: readonly string[];
  readonly note: (text: string) => void;
}

/** Finds a block and an id for other arguments of `own`, the deployment that runs. Writes nothing. Throws STATE_NO_BLOCK. */
export async function changeWork(
  machine: Machine,
  situation: Situation,
  own: Numbered,
  { kernelArguments, tries, failing, hooks, note }: ChangeRequest,
): Promise<ChangeWork> {
  const pruned = prunedChoice(situation, own);
  const { order } = pruned ?? situation.choice ?? { order: [] };
  const taken = takenBlocks(situation, order);
  const block = freeBlock(situation.deployments, taken, own.slot);
  if (block === undefined) throw noFreeBlock(taken);
  const id = newDeploymentId(own.commit, await takenIds(machine, situation));
  const contents = await readSlot(machine.slots[own.slot]);
  const version = contents?.version ?? '';
  const reason = `kernel arguments: ${kernelArguments}`;
  const { commit, slot } = own;
  return {
    machine,
    own,
    target: { running: own.block },
    deployment: { id, slot, kernelArguments, commit },
    block,
    tries,
    version,
    baseline: { deployment: id, failing },
    reason,
    askBeforeArming: () =>
      askHooks(machine, 'before-arming', { commit, version, slot, deployment: id, reason }, hooks),
    note,
    pruned,
  };
}

/** Ids that a new deployment must not have. One that a cut kept from being armed is free again (S7). */
async function takenIds(
  { files, data }: Machine,
  { choice, deployments, pins, state, stateLost }: Situation,
): Promise<ReadonlySet<string>> {
  const isListed = ({ block, id }: Numbered) =>
    (choice?.order.includes(block) ?? false) || isPinned(pins, id);
  const listed = deployments.filter(isListed).map(({ id }) => id);
  const known = state.history.map(({ deployment }) => deployment);
  const last = state.history.at(-1);
  const cut = last?.kind === 'armed' && !listed.includes(last.deployment) ? last.deployment : '';
  // Without a history every folder may be one that can be gone back to.
  const folders = stateLost ? ((await files.readFolder(`${data}/etc`)) ?? []) : [];
  return new Set([...listed, ...folders, ...known.filter((id) => id !== cut)]);
}

/** `undefined` when nothing is superfluous: what is pinned never is. An armed trial is replaced by arming (S3), not here. */
function prunedChoice(
  { choice, deployments, pins }: Situation,
  own: Numbered,
): BootChoice | undefined {
  if (choice === undefined || choice.trial !== undefined) return undefined;
  const entryOf = (block: number) => deployments.find((entry) => entry.block === block);
  const best = choice.order.find((block) => entryOf(block)?.slot !== own.slot);
  const kept = choice.order.filter(
    (block) => block === own.block || block === best || isPinned(pins, entryOf(block)?.id ?? ''),
  );
  return kept.length === choice.order.length ? undefined : { order: kept };
}
