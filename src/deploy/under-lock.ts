import type { Machine } from './machine.ts';

/** Runs something while no other pinectl changes the machine. Tries for so many seconds to be the only one; throws STATE_LOCKED. */
export async function underLock<T>(
  { effects }: Machine,
  run: () => Promise<T>,
  seconds?: number,
): Promise<T> {
  const lock = await effects.lock(seconds);
  try {
    return await run();
  } finally {
    await lock.release();
  }
}
