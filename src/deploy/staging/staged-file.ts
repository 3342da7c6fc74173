import { PineError } from '../../error.ts';
import { removeDurably, replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { stateFolder } from '../paths.ts';
import type { Situation } from '../situation.ts';
import { readSlot } from '../slot-contents.ts';
import { formatStaged, parseStaged, type Staged, stagedLimit } from './staged.ts';

/**
 * The deployment that is staged: its slot still holds it, and it has not been armed. `undefined` when nothing is, or
 * nothing that could be armed. Writes nothing.
 */
export async function readStaged(
  machine: Machine,
  situation: Pick<Situation, 'choice' | 'deployments'>,
): Promise<Staged | undefined> {
  const staged = await readFile(machine);
  if (staged === undefined || machine.running.data === 'degraded') return undefined;
  if (staged.slot === machine.running.slot || wasArmed(staged, situation)) return undefined;
  const contents = await readSlot(machine.slots[staged.slot]).catch(() => undefined);
  return contents?.checksum === staged.commit ? staged : undefined;
}

/** Says durably what is staged. From here on a machine that is rebooted arms it on the way. */
export function writeStaged(machine: Machine, staged: Staged): Promise<void> {
  return replaceFile(machine.files, stagedFile(machine), formatStaged(staged));
}

/** Nothing is staged any more: it is armed, given up, or its slot is about to be written (S2). */
export function removeStaged(machine: Machine): Promise<void> {
  return removeDurably(machine.files, stagedFile(machine));
}

/**
 * Removes what a cut has left of a deployment that was armed since. Before a trial leaves the boot choice, so that
 * what was left is not armed once more.
 */
export async function forgetArmedStaging(
  machine: Machine,
  situation: Pick<Situation, 'choice' | 'deployments'>,
): Promise<void> {
  if (machine.running.data === 'degraded') return;
  const staged = await readFile(machine);
  if (staged === undefined) return;
  if (staged.slot === machine.running.slot || wasArmed(staged, situation)) {
    await removeStaged(machine);
  }
}

function wasArmed(
  { deployment }: Staged,
  { choice, deployments }: Pick<Situation, 'choice' | 'deployments'>,
): boolean {
  return deployments.some(({ id, block }) => id === deployment && choice?.order.includes(block));
}

async function readFile(machine: Machine): Promise<Staged | undefined> {
  try {
    const bytes = await machine.files.readFile(stagedFile(machine), stagedLimit);
    return bytes && parseStaged(bytes);
  } catch (error) {
    if (error instanceof PineError && error.code === 'CORRUPT_TOO_LARGE') return undefined;
    throw error;
  }
}

function stagedFile(machine: Machine): string {
  return `${stateFolder(machine)}/staged.json`;
}
