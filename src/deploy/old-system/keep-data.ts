import type { Machine } from '../machine.ts';
import { refuseDegraded } from '../situation.ts';
import { underLock } from '../under-lock.ts';
import { findOldSystem, previousOf } from './find.ts';
import { mountOldRoot, oldRootFolder } from './mounting.ts';
import { noteProblem } from './problem.ts';
import { wiped } from './undo.ts';
import { writeWish } from './wish.ts';

/**
 * Lets the old system's files be read, now and at each boot. Returns where they are, and what kept them from being
 * there. Throws NOT_FOUND_OLD_SYSTEM, STATE_WIPED, STATE_DEGRADED.
 */
export async function keepData(
  machine: Machine,
): Promise<{ readonly folder: string; readonly problem: string | undefined }> {
  refuseDegraded(machine);
  const previous = previousOf(machine);
  return underLock(machine, async () => {
    if ((await findOldSystem(previous)).kind === 'spare') throw wiped(previous.name);
    await writeWish(machine, 'keep-data');
    const problem = await mountOldRoot(machine);
    await noteProblem(machine, problem);
    return { folder: oldRootFolder(machine), problem };
  });
}
