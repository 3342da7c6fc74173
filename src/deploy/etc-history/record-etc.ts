import type { Deployment } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import type { HistorySettings } from '../../etc/history/history-settings.ts';
import { isUnchanged } from '../../etc/history/record.ts';
import { readStatCache } from '../../etc/history/stat-cache.ts';
import { readTip } from '../../etc/history/tip.ts';
import type { Machine } from '../machine.ts';
import { historyFolder } from '../paths.ts';
import { readSlot } from '../slot-contents.ts';
import { readState } from '../state-files.ts';

/** Why /etc is recorded. */
export type Occasion =
  | { readonly kind: 'boot' }
  /** `deployment` is armed: its /etc is merged. */
  | { readonly kind: 'upgrade'; readonly deployment: Deployment; readonly version: string }
  /** A command of pine's changes it. */
  | { readonly kind: 'change'; readonly message: string }
  /** Somebody asked for it. Everything that is kept is verified. */
  | { readonly kind: 'request'; readonly message: string };

export interface RecordOptions extends HistorySettings {
  readonly note: (text: string) => void;
}

/** What was recorded. */
export interface EtcRecord {
  /** The new revision of this machine's /etc; null when nothing was new. */
  readonly revision: string | null;
  /** The repository was damaged, and is a new one. */
  readonly rebuilt: boolean;
}

/** Seconds that a boot waits for another pinectl. */
const lockWait = 120;
/** Bytes that must be free beyond what a first record may need: the machine is worth more than its history (S10). */
export const spareSpace = 8 * 1024 * 1024;

/**
 * Records this machine's /etc and what its release ships, if anything is new. The history is advisory: nothing of an
 * upgrade depends on it. The caller has the machine's lock.
 *
 * isomorphic-git is loaded only when something is new: an ordinary boot compares what `stat` shows.
 */
export async function recordEtc(
  machine: Machine,
  occasion: Occasion,
  options: RecordOptions,
): Promise<EtcRecord> {
  if (occasion.kind === 'boot' && (await isRecorded(machine))) {
    return { revision: null, rebuilt: false };
  }
  const { writeRecord } = await import('./write-record.ts');
  return writeRecord(machine, occasion, options);
}

/** The same, for where it must not get in the way of anything: what goes wrong is only told. */
export async function recordSafely(
  machine: Machine,
  occasion: Occasion,
  options: RecordOptions,
): Promise<void> {
  try {
    await recordEtc(machine, occasion, options);
  } catch (error) {
    options.note(`/etc was not recorded: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * What a boot does once it is judged: records what is new, under the lock. Services that have just started go first, but
 * not so much that the lock is kept for long. Never throws.
 */
export async function recordBoot(machine: Machine, options: RecordOptions): Promise<void> {
  try {
    machine.effects.giveWay?.();
    const lock = await machine.effects.lock(lockWait);
    await recordSafely(machine, { kind: 'boot' }, options).finally(() => lock.release());
  } catch (error) {
    options.note(`/etc was not recorded: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether the last record still holds: the same deployment and release run, and no file shows a change. */
async function isRecorded(machine: Machine): Promise<boolean> {
  const { files, etc, running, slots } = machine;
  const folder = historyFolder(machine);
  const cache = await readStatCache(files, folder);
  if (cache === undefined || cache.deployment !== running.deployment) return false;
  if (cache.left !== (await lastLeft(machine))) return false;
  const contents = await readSlot(slots[running.slot]);
  if (contents !== undefined && contents.checksum !== cache.release) return false;
  try {
    if ((await readTip(files, folder, 'machine')) !== cache.revision) return false;
  } catch (error) {
    if (error instanceof PineError) return false;
    throw error;
  }
  return isUnchanged(files, etc, cache);
}

/** The deployment that this machine has left, if that was the last thing that happened; else empty. */
export async function lastLeft(machine: Machine): Promise<string> {
  const { value: state } = await readState(machine);
  const last = state.history.at(-1);
  return last?.kind === 'fell-back' || last?.kind === 'rolled-back' ? last.deployment : '';
}
