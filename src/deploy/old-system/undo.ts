import { PineError } from '../../error.ts';
import type { Machine } from '../machine.ts';
import { changeChoice, choiceAfter } from '../refusals.ts';
import { armedDeployment, markSettled, readSituation, refuseEmergency } from '../situation.ts';
import { underLock } from '../under-lock.ts';
import { findOldSystem, previousOf } from './find.ts';
import { checkStartable } from './startable.ts';

/**
 * Lets the old system be started from the next boot on, until `redo`. One write of one sector (S3); nothing else of
 * pine changes. Throws NOT_FOUND_OLD_SYSTEM, STATE_WIPED, STATE_OLD_BOOT_LOADER, STATE_ARMED, and what else the boot choice does not allow.
 */
export async function undo(machine: Machine): Promise<void> {
  const previous = previousOf(machine);
  return underLock(machine, async () => {
    const situation = await readSituation(machine);
    refuseEmergency(machine, situation);
    const armed = armedDeployment(machine, situation);
    if (armed !== undefined) throw waits(armed.id);
    const event = { kind: 'undo', running: machine.running.block ?? 0 } as const;
    choiceAfter(situation.choice, event);
    if ((await findOldSystem(previous)).kind === 'spare') throw wiped(previous.name);
    await checkStartable(previous);
    if (!(await machine.bootLoader.knowsPrevious())) throw tooOld();
    await changeChoice(machine.bootLoader, event);
    await markSettled(machine);
  });
}

/** Stays with pine: takes an undo back before its reboot. Throws STATE_NOT_UNDONE. */
export async function redo(machine: Machine): Promise<void> {
  return underLock(machine, async () => {
    await changeChoice(machine.bootLoader, { kind: 'redo', running: machine.running.block ?? 0 });
  });
}

/** What says that there is nothing to go back to any more. */
export function wiped(where: string): PineError {
  return new PineError('STATE_WIPED', 'the old system was wiped', {
    expected: 'its file system',
    found: 'the empty one that `pinectl hijack --wipe` made',
    where,
    remedy: 'stay with pine: there is nothing to go back to',
  });
}

function waits(id: string): PineError {
  return new PineError('STATE_ARMED', 'an upgrade waits for its reboot', {
    expected: 'nothing that the next boot is to try',
    found: `${id} is armed`,
    where: 'the boot choice',
    remedy: 'reboot and let it be confirmed, or give it up: pinectl rollback',
  });
}

function tooOld(): PineError {
  return new PineError('STATE_OLD_BOOT_LOADER', "this machine's boot loader is too old for this", {
    expected: 'a grub.cfg that knows pine_system',
    found: 'one without',
    where: 'the boot partition',
    remedy: 'install the machine again, or stay with pine',
  });
}
