import { dirname } from 'node:path/posix';
import type { SlotName } from '../../boot/choice.ts';
import type { MergeReport } from '../../etc/merge/merge-etc.ts';
import { FolderSink } from '../../etc/trees/folder-sink.ts';
import { removeDurably } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { etcFolder } from '../paths.ts';
import { readSlot } from '../slot-contents.ts';
import { mergeRunningEtc } from './merge-sides.ts';
import { writeConflicts } from './records.ts';

/**
 * Makes the /etc of a deployment whose slot is written, whole or not at all: under a temporary name first, which is made
 * durable and then renamed (S6, S7). One that is there, from a run before, is replaced. Its conflicts are on record.
 */
export async function makeEtc(
  machine: Machine,
  { id, slot }: { readonly id: string; readonly slot: SlotName },
  note: (text: string) => void,
): Promise<MergeReport> {
  const { files } = machine;
  const to = etcFolder(machine, id);
  const temporary = `${to}.new`;
  const sinks: FolderSink[] = [];
  const makeSink = async () => {
    await files.remove(temporary);
    const sink = new FolderSink(files, temporary);
    sinks.push(sink);
    return sink;
  };
  await files.makeFolder(dirname(to), 0o755);
  // S10: no deployment that may boot uses it, and two at once may be too much for the partition.
  await removeDurably(files, to);
  const opener = machine.slots[slot];
  const device = await opener.open('read');
  try {
    const size = (await readSlot(opener))?.image.size ?? 0;
    const report = await mergeRunningEtc(machine, { reader: device, size }, { makeSink, note });
    await sinks.at(-1)?.finish();
    await writeConflicts(machine, id, report.conflicts);
    await files.syncAll(temporary); // S6: contents and names, before the name that counts
    await files.rename(temporary, to);
    await files.sync(dirname(to));
    return report;
  } catch (error) {
    await files.remove(temporary).catch(() => {}); // it may be what fills the partition
    throw error;
  } finally {
    await device.close();
  }
}
