import type { BootChoice } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import type { Numbered } from '../deployments.ts';
import { type Machine, otherSlot } from '../machine.ts';
import { changeChoice } from '../refusals.ts';
import {
  armedDeployment,
  readSituation,
  refuseDegraded,
  refuseEmergency,
  type Situation,
} from '../situation.ts';
import { readStaged } from '../staging/staged-file.ts';
import { readWriting } from '../state-files.ts';
import { chooseTarget } from '../target.ts';
import { underLock } from '../under-lock.ts';
import { forgetWriting } from '../upgrade/arm.ts';
import { refuseArmed } from '../upgrade/refuse.ts';
import { runSteps } from '../upgrade/steps.ts';
import type { SlotWork, Step } from '../upgrade/work.ts';
import {
  noteWriting,
  readBack,
  unlistTarget,
  writeImage,
  writeTrailer,
} from '../upgrade/write-slot.ts';
import { prepareRepair, type RepairOptions, type RepairWork } from './prepare-repair.ts';
import { bothSlots } from './repair-source.ts';
import { type SlotVerdict, verifyWholeSlot } from './verify-slot.ts';

export interface RepairOutcome {
  readonly before: SlotVerdict;
  /** Absent when nothing had to be done. */
  readonly after?: SlotVerdict;
}

/** What is sound in the slot is read from it just before it is written there again. */
async function rewriteImage(work: RepairWork): Promise<void> {
  const own = await work.target.opener.open('read');
  try {
    await writeImage({
      ...work,
      recipe: (running) => ({
        base: bothSlots(running, own),
        segments: work.segments(running.size),
      }),
    });
  } finally {
    await own.close();
  }
}

/** The slot is whole again: the boot order is what it was (S2). */
async function relist({ machine, target, relist: order = [] }: SlotWork): Promise<void> {
  await changeChoice(machine.bootLoader, { kind: 'relist', running: target.running, order });
}

/**
 * The order of a repair. The note comes first, since only it knows the boot order that is to come back (S7). The
 * trailer is not cleared: the slot held this commit before, and offline there is no other copy of it.
 */
export const repairSteps: readonly Step<RepairWork>[] = [
  { name: 'note the write', run: noteWriting },
  { name: 'unlist the slot', run: unlistTarget },
  { name: 'write the image', run: rewriteImage },
  { name: 'write the trailer', run: writeTrailer },
  { name: 'read back', run: readBack },
  { name: 'relist the slot', run: relist },
  { name: 'forget the write', run: forgetWriting },
];

/**
 * Verifies the other slot and, if it is damaged, writes it again with what it held. What is sound stays, what is
 * damaged comes from the running slot or the remote; where each comes from is known before the first write.
 * Throws what `chooseTarget` throws (S1), STATE_NOTHING_TO_REPAIR, NOT_FOUND_PLAN, and what the remote throws.
 */
export async function repairOtherSlot(
  machine: Machine,
  options: RepairOptions,
): Promise<RepairOutcome> {
  return underLock(machine, async () => {
    refuseDegraded(machine);
    const situation = await readSituation(machine);
    refuseEmergency(machine, situation);
    const target = chooseTarget(machine, situation.choice, situation.deployments); // S1
    const armed = armedDeployment(machine, situation);
    if (armed !== undefined) throw refuseArmed(armed);
    // S2: a cut must not leave something staged whose slot is half written.
    const staged = await readStaged(machine, situation);
    if (staged !== undefined) throw refuseArmed({ id: staged.deployment, slot: staged.slot });
    const { deployment, order } = await findRepair(machine, situation);
    const before = await verifyWholeSlot(machine, target.slot, options);
    const unlisted = !situation.choice?.order.includes(deployment.block);
    if (before.result === 'whole' && before.commit === deployment.commit && !unlisted) {
      // A repair that was cut just before its end: the rest of it (S7).
      if ((await readWriting(machine))?.relist !== undefined) await forgetWriting({ machine });
      return { before };
    }
    const work = await prepareRepair(machine, situation, deployment, options);
    await runSteps(repairSteps, { ...work, target, relist: order });
    return { before, after: await verifyWholeSlot(machine, target.slot, options) };
  });
}

/** What the other slot should hold, and the boot order that it belongs to: the present one, or a cut repair's (S7). */
async function findRepair(
  machine: Machine,
  { choice, deployments }: Situation,
): Promise<{ deployment: Numbered; order: BootChoice['order'] }> {
  const slot = otherSlot(machine.running.slot);
  const inSlot = (order: readonly number[]) =>
    order
      .map((block) => deployments.find((entry) => entry.block === block && entry.slot === slot))
      .find((entry) => entry !== undefined);
  const listed = inSlot(choice?.order ?? []);
  if (listed !== undefined) return { deployment: listed, order: choice?.order ?? [] };
  const writing = await readWriting(machine);
  const { relist: order = [] } = writing?.slot === slot ? writing : {};
  const cut = inSlot(order);
  const isKnown = (block: number) => deployments.some((entry) => entry.block === block);
  if (cut !== undefined && cut.commit === writing?.commit && order.every(isKnown)) {
    return { deployment: cut, order };
  }
  throw new PineError('STATE_NOTHING_TO_REPAIR', 'nothing boots from the other slot', {
    expected: `a confirmed deployment in slot ${slot}`,
    found: 'none in the boot order',
    where: machine.slots[slot].name,
    remedy: 'fill it: pinectl upgrade',
  });
}
