import { PineError } from '../../error.ts';
import type { Plan } from '../../plan/plan-file.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import type { SlotContents } from '../slot-contents.ts';
import { openStoredPlan, storePlan } from './plan-store.ts';
import { reasonOf } from './reason.ts';

/**
 * The plan of the running slot, which tells where in it every object lies: the one that is kept, or else made
 * again by hashing the slot. `undefined` when that fails: everything is then fetched.
 */
export async function openBasePlan(
  machine: Machine,
  running: SlotContents,
  note: (text: string) => void,
): Promise<Plan | undefined> {
  const { files, slots } = machine;
  const digest = running.plan;
  if (digest === undefined) return undefined;
  const path = planFile(machine, running.checksum);
  const stored = await openStoredPlan(files, path, digest);
  if (stored !== undefined) return stored;
  try {
    const { planFromImage } = await import('../../plan/from-image.ts');
    const device = await slots[machine.running.slot].open('read');
    try {
      const bytes = planFromImage(device, running.image.size);
      return await storePlan(files, path, digest, bytes);
    } finally {
      await device.close();
    }
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    note(`no plan of the running slot: everything is fetched (${reasonOf(error)})`);
    return undefined;
  }
}
