import type { SlotName } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import type { Numbered } from '../deployments.ts';
import { pinsFile } from '../paths.ts';
import type { Situation } from '../situation.ts';
import type { Target } from '../target.ts';
import { isPinned } from './pins.ts';

/** Pinned deployments, in the boot order or not. */
export function pinnedDeployments({
  deployments,
  pins,
}: Pick<Situation, 'deployments' | 'pins'>): readonly Numbered[] {
  return deployments.filter(({ id }) => isPinned(pins, id));
}

/** The same, of those in one slot: its image may not be overwritten. */
export function pinnedIn(
  situation: Pick<Situation, 'deployments' | 'pins'>,
  slot: SlotName,
): readonly Numbered[] {
  return pinnedDeployments(situation).filter((deployment) => deployment.slot === slot);
}

/** Argument blocks that no new deployment may take: those that `order` names, and those of pinned deployments. */
export function takenBlocks(
  situation: Pick<Situation, 'deployments' | 'pins'>,
  order: readonly number[],
): readonly number[] {
  return [...order, ...pinnedDeployments(situation).map(({ block }) => block)];
}

/** Throws STATE_PINNED when `target` holds what is pinned, or when that is not known. `wanted` names what is refused. */
export function refusePinned(
  machine: Parameters<typeof pinsFile>[0],
  situation: Pick<Situation, 'deployments' | 'pins'>,
  { slot, opener }: Target,
  wanted: string,
): void {
  if (situation.pins === 'damaged') {
    throw new PineError('STATE_PINNED', 'what is pinned is not known: the list is damaged', {
      expected: 'a list as `pinectl pin` writes it',
      found: 'something else',
      where: pinsFile(machine),
      remedy: 'pin again what should be kept, or begin an empty list: pinectl unpin --all',
    });
  }
  const pinned = pinnedIn(situation, slot).map(({ id }) => id);
  if (pinned.length === 0) return;
  throw new PineError('STATE_PINNED', 'the other slot holds a pinned deployment', {
    expected: `a slot that ${wanted} may be written to`,
    found: `${pinned.join(' and ')}, pinned in slot ${slot}`,
    where: opener.name,
    remedy: `let it be overwritten: \`pinectl unpin ${pinned.join('` and `pinectl unpin ')}\`, then upgrade again`,
  });
}
