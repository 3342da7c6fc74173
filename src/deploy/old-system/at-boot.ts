import type { Machine } from '../machine.ts';
import { findOldSystem } from './find.ts';
import { mountOldRoot, mountSpare } from './mounting.ts';
import { noteProblem } from './problem.ts';
import { wipe } from './wipe.ts';
import { readWish } from './wish.ts';

/** Seconds. Another pinectl may be at work for a moment. */
const lockWait = 120;

/**
 * Does what is wanted of the old system, once a boot was judged. It must not get in the way: what goes wrong is told,
 * and `status` tells it as well (S11).
 */
export async function oldSystemAtBoot(
  machine: Machine,
  note: (text: string) => void,
): Promise<void> {
  if (machine.previous === undefined) return;
  try {
    const problem = await act(machine, machine.previous, note);
    await noteProblem(machine, problem);
    if (problem !== undefined) note(`the old system: ${problem}`);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    await noteProblem(machine, problem).catch(() => undefined);
    note(`the old system: ${problem}`);
  }
}

async function act(
  machine: Machine,
  previous: NonNullable<Machine['previous']>,
  note: (text: string) => void,
): Promise<string | undefined> {
  const found = await findOldSystem(previous);
  const wish = await readWish(machine);
  if (found.kind === 'spare' && found.wasMounted) return mountSpare(machine);
  if (wish === 'wipe') {
    const { folder, problem } = await wipe(machine, { lockWait });
    note(`the old system is wiped; its room is ${folder}`);
    return problem;
  }
  if (wish !== 'keep-data') return undefined;
  if (found.kind === 'blank') return 'its partition has no file system any more';
  return mountOldRoot(machine);
}
