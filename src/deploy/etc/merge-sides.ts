import { PineError } from '../../error.ts';
import { type MergeOptions, type MergeReport, mergeEtc } from '../../etc/merge/merge-etc.ts';
import { folderTree } from '../../etc/trees/folder-tree.ts';
import { imageTree } from '../../etc/trees/image-tree.ts';
import type { EtcTree } from '../../etc/trees/tree.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Machine } from '../machine.ts';
import { readSlot } from '../slot-contents.ts';
import { readConflicts, readMarks } from './records.ts';

/** An image that can be read: what ships a new /etc. */
export interface ImageReader {
  readonly reader: PositionedReader;
  readonly size: number;
}

/**
 * Merges the /etc of the running deployment, as it is at this moment, with what `next` ships. The old default comes
 * from the running slot. Where that can't be read, what is here stays wherever both have something (S8).
 */
export async function mergeRunningEtc(
  machine: Machine,
  next: ImageReader,
  {
    makeSink,
    note,
  }: { makeSink?: () => Promise<NonNullable<MergeOptions['sink']>>; note: MergeOptions['note'] },
): Promise<MergeReport> {
  const trees = {
    next: await imageTree(next.reader, next.size),
    local: await folderTree(machine.files, machine.etc, note),
  };
  const run = async (base: EtcTree | undefined) =>
    mergeEtc({
      sides: { ...trees, base: base ?? trees.next },
      baseIsKnown: base !== undefined,
      marks: await readMarks(machine, note),
      previous: await readConflicts(machine, machine.running.deployment, note),
      ...(makeSink && { sink: await makeSink() }),
      note,
    });
  const opener = machine.slots[machine.running.slot];
  const device = await opener.open('read');
  try {
    const running = await readSlot(opener);
    return await run(running && (await imageTree(device, running.image.size)));
  } catch (error) {
    if (!(error instanceof PineError) || !error.code.startsWith('CORRUPT_')) throw error;
    note(`the old default of /etc can't be read (${error.message}): what is here stays`);
    return await run(undefined);
  } finally {
    await device.close();
  }
}
