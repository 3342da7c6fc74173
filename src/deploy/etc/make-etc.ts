import { dirname } from 'node:path/posix';
import type { SlotName } from '../../boot/choice.ts';
import { fingerprintEtc } from '../../etc/fingerprint.ts';
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
    const merge = async () => {
      const report = await mergeRunningEtc(machine, { reader: device, size }, { makeSink, note });
      await sinks.at(-1)?.finish();
      return report;
    };
    const report = await mergeAtRest(machine, merge, note);
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

/** An /etc that changes again and again is merged so many times, and then as it is. */
const mostMerges = 3;

/**
 * S8: merges again when /etc was changed meanwhile: a file may have been compared before and copied after, or copied half
 * old and half new.
 */
async function mergeAtRest<T>(
  { files, etc }: Machine,
  merge: () => Promise<T>,
  note: (text: string) => void,
): Promise<T> {
  let before = await fingerprintEtc(files, etc);
  for (let count = 1; ; count += 1) {
    const report = await merge();
    const after = await fingerprintEtc(files, etc);
    if (after === before) return report;
    if (count === mostMerges) {
      note(`${etc} changes all the time: what changed last may not be in the new one`);
      return report;
    }
    before = after;
  }
}
