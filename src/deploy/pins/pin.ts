import { argumentBlocks } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import type { Numbered } from '../deployments.ts';
import type { Machine } from '../machine.ts';
import { withNotice } from '../notice.ts';
import { pinsFile } from '../paths.ts';
import { readSituation, refuseDegraded, refuseEmergency, type Situation } from '../situation.ts';
import { underLock } from '../under-lock.ts';
import { findDeployment } from './find-deployment.ts';
import { writePins } from './pin-file.ts';
import { isPinned, type Pin } from './pins.ts';
import { takenBlocks } from './protection.ts';

/** What `pinectl pin` and `unpin` did, and what is pinned now. */
export interface PinOutcome {
  /** Ids of the deployments that were named. */
  readonly deployments: readonly string[];
  /** False when it was so already. */
  readonly changed: boolean;
  readonly pins: readonly Pin[];
}

/**
 * Pins a confirmed deployment: its slot is not written and its argument block not taken until it is unpinned. Throws
 * STATE_NOT_CONFIRMED, STATE_NO_BLOCK when none would be left for the next deployment, and what `findDeployment` throws.
 */
export function pin(
  machine: Machine,
  name: string,
  note: (text: string) => void,
): Promise<PinOutcome> {
  return withNotice(machine, () =>
    underLock(machine, async () => {
      refuseDegraded(machine);
      const situation = await readSituation(machine);
      refuseEmergency(machine, situation);
      const deployment = findDeployment(machine, situation, name);
      const { id } = deployment;
      const pins = known(machine, situation, note);
      if (isPinned(situation.pins, id)) return { deployments: [id], changed: false, pins };
      refuseUnconfirmed(situation, deployment);
      refuseWithoutRoom(situation, deployment);
      const next = [...pins, { deployment: id, since: machine.clock.now() }];
      await writePins(machine, next);
      return { deployments: [id], changed: true, pins: next };
    }),
  );
}

/**
 * Lets what was pinned be overwritten again: the deployment that `name` means, also one that is gone, or the only
 * one when there is no name; all with `everything`. Throws NOT_FOUND_PIN, INPUT_AMBIGUOUS_DEPLOYMENT.
 */
export function unpin(
  machine: Machine,
  { name, everything }: { readonly name?: string | undefined; readonly everything: boolean },
  note: (text: string) => void,
): Promise<PinOutcome> {
  return withNotice(machine, () =>
    underLock(machine, async () => {
      refuseDegraded(machine);
      const situation = await readSituation(machine);
      const pins = known(machine, situation, note);
      const wanted = everything
        ? pins.map(({ deployment }) => deployment)
        : [findPin(machine, situation, pins, name)];
      const next = pins.filter(({ deployment }) => !wanted.includes(deployment));
      const changed = next.length < pins.length || situation.pins === 'damaged';
      if (changed) await writePins(machine, next);
      return { deployments: wanted, changed, pins: next };
    }),
  );
}

function findPin(
  machine: Machine,
  situation: Situation,
  pins: readonly Pin[],
  name: string | undefined,
): string {
  const [only] = pins;
  if (name === undefined) {
    if (only !== undefined && pins.length === 1) return only.deployment;
    if (only === undefined) throw noPin();
    throw new PineError('INPUT_AMBIGUOUS_DEPLOYMENT', 'more than one deployment is pinned', {
      expected: `one of ${pins.map(({ deployment }) => deployment).join(', ')}`,
      found: 'no name',
      where: 'the command line',
      remedy: 'name one of them, or let all go: pinectl unpin --all',
    });
  }
  // The list may name a deployment that this machine does not have any more.
  const gone = pins.find(({ deployment }) => deployment === name);
  return gone?.deployment ?? findDeployment(machine, pinnedOrAll(situation, name), name).id;
}

/** `other` means the pinned one of the other slot, also when it is not in the boot order. */
function pinnedOrAll(
  situation: Situation,
  name: string,
): Pick<Situation, 'choice' | 'deployments'> {
  const { deployments, pins } = situation;
  const pinned = deployments.filter(({ id }) => isPinned(pins, id));
  if (name !== 'other') return situation;
  return { choice: { order: pinned.map(({ block }) => block) }, deployments: pinned };
}

/** What is known to be pinned. A list that is damaged is begun anew, and that is told. */
function known(
  machine: Machine,
  { pins }: Situation,
  note: (text: string) => void,
): readonly Pin[] {
  if (pins !== 'damaged') return pins;
  note(`${pinsFile(machine)} is damaged: what was pinned is forgotten`);
  return [];
}

function noPin(): PineError {
  return new PineError('NOT_FOUND_PIN', 'nothing is pinned', {
    expected: 'a pinned deployment',
    found: 'none',
    where: 'this machine',
    remedy: 'nothing needs to be done',
  });
}

function refuseUnconfirmed({ choice }: Situation, { id, block }: Numbered): void {
  const onTrial = choice?.trial?.block === block;
  if (choice?.order.includes(block) && !onTrial) return;
  throw new PineError('STATE_NOT_CONFIRMED', 'only a confirmed deployment can be pinned', {
    expected: 'a deployment of the boot order that is not on trial',
    found: onTrial
      ? `${id}, whose trial has not ended`
      : `${id}, which the boot order does not name`,
    where: 'the boot choice',
    remedy: onTrial ? 'pin it once its trial is confirmed' : 'pin another one: pinectl status',
  });
}

/** The next upgrade or change of arguments needs a block of its own. */
function refuseWithoutRoom(situation: Situation, { block }: Numbered): void {
  const taken = [...takenBlocks(situation, situation.choice?.order ?? []), block];
  if (argumentBlocks.some((number) => !taken.includes(number))) return;
  throw new PineError('STATE_NO_BLOCK', 'no argument block would be left', {
    expected: 'one of four that is neither pinned nor in the boot order',
    found: `blocks ${[...new Set(taken)].sort().join(' ')} are taken`,
    where: 'the boot partition',
    remedy: 'unpin one that is not needed any more: pinectl unpin',
  });
}
