import { PineError } from '../../error.ts';
import type { ItemSource } from '../../etc/history/item.ts';
import { type Reverted, revert } from '../../etc/history/revert.ts';
import type { Machine } from '../machine.ts';
import { underLock } from '../under-lock.ts';
import { presentSource } from './present.ts';
import { type RecordOptions, recordEtc } from './record-etc.ts';

/**
 * Brings a path of /etc back to what a source has, under the lock. What is there is recorded before and after, so
 * that reverting can be reverted. Throws what `revert` throws.
 */
export async function revertEtc(
  machine: Machine,
  source: ItemSource,
  path: string,
  { force, ...options }: RecordOptions & { readonly force: boolean },
): Promise<Reverted> {
  return underLock(machine, async () => {
    await recordOrNote(machine, `before reverting ${path}`, options);
    const present = await presentSource(machine);
    const sides = { source, present };
    const result = await revert(machine.files, machine.etc, sides, path, { force });
    await recordOrNote(machine, `reverted ${path} to ${source.name}`, options);
    return result;
  });
}

/** A disk that is too full for the history must not keep anyone from mending what filled it. */
async function recordOrNote(
  machine: Machine,
  message: string,
  options: RecordOptions,
): Promise<void> {
  try {
    await recordEtc(machine, { kind: 'change', message }, options);
  } catch (error) {
    if (!(error instanceof PineError) || error.code !== 'SPACE_ETC_HISTORY') throw error;
    options.note(`not recorded: ${error.message}`);
  }
}
