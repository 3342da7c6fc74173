import type { BootChoice, SlotName } from '../boot/choice.ts';
import { PineError } from '../error.ts';
import type { BlockDeviceOpener } from '../ports/block-device.ts';
import type { Numbered } from './deployments.ts';
import { type Machine, otherSlot } from './machine.ts';
import { choiceAfter } from './refusals.ts';

/** The one slot that may be written now. Only `chooseTarget` makes one (S1). */
export interface Target {
  readonly slot: SlotName;
  readonly opener: BlockDeviceOpener;
  /** The choice that makes the slot unbootable: to be written before the slot is (S2). */
  readonly unlisted: BootChoice;
  /** The running deployment's argument block. */
  readonly running: number;
}

/**
 * Picks the slot to write: never the running one, and none while the running deployment is on trial, since the
 * other slot then holds the last confirmed one (S1). Throws STATE_ON_TRIAL, STATE_REBOOT_PENDING,
 * STATE_NO_CHOICE or STATE_IN_USE.
 */
export function chooseTarget(
  machine: Pick<Machine, 'running' | 'slots'>,
  choice: BootChoice | undefined,
  deployments: readonly Numbered[],
): Target {
  const { running, slots } = machine;
  const slot = otherSlot(running.slot);
  const own = deployments.find((deployment) => deployment.block === running.block);
  const blocks = deployments
    .filter((deployment) => deployment.slot === slot)
    .map((deployment) => deployment.block);
  const unlisted = choiceAfter(choice, {
    kind: 'unlist',
    running: running.block ?? 0,
    blocks,
  });
  // What is running and what the boot partition says of it must agree before anything is overwritten.
  if (own === undefined || own.slot !== running.slot || own.id !== running.deployment) {
    throw new PineError('STATE_IN_USE', 'it is not certain which slot is in use', {
      expected: `deployment ${running.deployment} in slot ${running.slot}, in block ${running.block}`,
      found: own === undefined ? 'no such block' : `${own.id} in slot ${own.slot}`,
      where: 'the boot partition',
      remedy: 'reboot and try again',
    });
  }
  // A listed block that can't be read might name the target: it goes, since nothing can boot it.
  const readable = new Set(deployments.map((deployment) => deployment.block));
  const order = unlisted.order.filter((block) => readable.has(block));
  return { slot, opener: slots[slot], unlisted: { order }, running: own.block };
}
