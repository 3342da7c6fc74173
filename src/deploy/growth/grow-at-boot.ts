import type { Machine } from '../machine.ts';
import { bootedDataDisk } from './data-disk.ts';
import { describeGrowth } from './describe-growth.ts';
import { growData } from './grow-data.ts';

/** Fills a disk that has grown, once a boot was judged. It must not get in the way: what goes wrong is only told. */
export async function growAtBoot(machine: Machine, note: (text: string) => void): Promise<void> {
  try {
    const outcome = await growData(machine, await bootedDataDisk(machine.files), true);
    if (outcome.kind !== 'unchanged') note(describeGrowth(outcome));
  } catch (error) {
    note(`the data partition does not grow: ${error instanceof Error ? error.message : error}`);
  }
}
