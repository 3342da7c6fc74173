import type { BootChoice } from '../../boot/choice.ts';
import type { OldSystemWish } from '../../boot/old-system-wish.ts';
import { PineError } from '../../error.ts';
import type { Machine } from '../machine.ts';
import { isSystemError } from '../trial-log.ts';
import { findOldSystem } from './find.ts';
import { placesOf } from './mounting.ts';
import { readProblem } from './problem.ts';
import { readWish } from './wish.ts';

/** What `pinectl status` tells about the system that was here before pine. */
export interface OldSystemStatus {
  /** `blank`: neither it nor what takes its place: being wiped, or damaged. `unreadable`: see `problem`. */
  readonly state: 'kept' | 'spare' | 'blank' | 'unreadable';
  /** The partition's device. */
  readonly device: string;
  /** Bytes of the partition; null when it can't be read. */
  readonly size: number | null;
  /** Where its files are, or those of what takes its place. */
  readonly mountedAt: string | null;
  /** The next boot starts it. */
  readonly chosen: boolean;
  readonly wish: OldSystemWish | null;
  /** What went wrong at this boot. */
  readonly problem: string | null;
}

/** Null on a machine that was not taken over. Writes nothing. */
export async function oldSystemStatus(
  machine: Machine,
  choice: BootChoice | undefined,
): Promise<OldSystemStatus | null> {
  const { previous } = machine;
  if (previous === undefined) return null;
  const base = {
    device: previous.path,
    mountedAt: (await placesOf(machine)).at(0) ?? null,
    chosen: choice?.previous === true,
    wish: (await readWish(machine)) ?? null,
    problem: (await readProblem(machine)) ?? null,
  };
  try {
    const { kind, size } = await findOldSystem(previous);
    return { ...base, state: kind, size };
  } catch (error) {
    if (!(error instanceof PineError) && !isSystemError(error)) throw error;
    return { ...base, state: 'unreadable', size: null, problem: base.problem ?? error.message };
  }
}
