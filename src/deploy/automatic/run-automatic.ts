import { PineError } from '../../error.ts';
import type { Machine } from '../machine.ts';
import { refreshNotice } from '../notice.ts';
import { hasFallenBack, readSituation, trialDeployment } from '../situation.ts';
import { readSlot } from '../slot-contents.ts';
import { readStaged } from '../staging/staged-file.ts';
import { underLock } from '../under-lock.ts';
import type { UpgradeOutcome } from '../upgrade.ts';
import type { AutomaticSettings } from './automatic-settings.ts';
import { dueUpgrade, mayReboot } from './decide.ts';
import { wallClock } from './local-time.ts';
import { beginAutomatic, type LastRun, readAutomatic, writeAutomatic } from './record.ts';

/** What `upgrade --automatic` did. */
export interface AutomaticOutcome {
  /** Why nothing was to be done; absent when an upgrade was looked for or the machine reboots. */
  readonly idle?: string;
  readonly upgrade?: LastRun;
  readonly rebooting: boolean;
}

/** These pass by themselves: they are tried again while the window is open. */
const passing = /^(REMOTE_|STATE_LOCKED$|STATE_HOOK_REFUSED$)/;

/**
 * One look of an unattended upgrade: decides by the machine's clock whether to look for something new, and whether to
 * reboot into what is staged or armed. To be called every quarter of an hour. Never acts during a trial. `upgrade` brings
 * the other slot up to date and does not reboot; `arm` arms what is staged, under the lock.
 */
export async function runAutomatic(
  machine: Machine,
  settings: AutomaticSettings,
  upgrade: () => Promise<UpgradeOutcome>,
  arm: () => Promise<unknown>,
): Promise<AutomaticOutcome> {
  const idle = settings.enabled ? await obstacle(machine) : 'unattended upgrades are off';
  if (idle !== undefined) return { idle, rebooting: false };
  const time = wallClock(settings.timeZone)(machine.clock.now());
  const record = (await readAutomatic(machine)) ?? (await beginAutomatic(machine));
  const due = dueUpgrade(settings, record, time);
  let last: LastRun | undefined;
  if (due !== undefined) {
    const { result, error } = await attempt(machine, upgrade);
    last = result;
    const again = error !== undefined && passing.test(error.code);
    await writeAutomatic(machine, { ...record, last, ...(!again && { done: due.day }) });
    await refreshNotice(machine);
    if (error !== undefined && !again) throw error;
  }
  const rebooting = mayReboot(settings, record.seed, time) && (await reboot(machine, arm));
  if (last !== undefined) return { upgrade: last, rebooting };
  return rebooting ? { rebooting } : { idle: 'not now', rebooting };
}

/** Why this boot is not one to upgrade from; `undefined` when it is. */
async function obstacle(machine: Machine): Promise<string | undefined> {
  const { running, slots, clock } = machine;
  if (running.data === 'degraded') return 'the machine runs without its data partition';
  const { choice } = await readSituation(machine);
  const block = running.block ?? 0;
  if (choice === undefined) return 'the boot choice is damaged';
  if (choice.trial?.block === block) return 'the running deployment is on trial';
  if (!choice.order.includes(block)) return 'a rollback waits for its reboot';
  // A machine without a battery starts in 1970, or when its image was made, until the time comes from the network.
  const contents = await readSlot(slots[running.slot]).catch(() => undefined);
  if (contents !== undefined && clock.now() < contents.commit.timestamp) {
    return 'the clock is behind the time of the running commit, so it is wrong';
  }
  return undefined;
}

async function attempt(
  machine: Machine,
  upgrade: () => Promise<UpgradeOutcome>,
): Promise<{ result: LastRun; error?: PineError }> {
  const time = machine.clock.now();
  try {
    const { kind, commit } = await upgrade();
    const name = kind === 'already-armed' ? 'armed' : kind;
    return { result: { time, kind: name, detail: commit } };
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    const detail = `${error.code}: ${error.message}`.slice(0, 500);
    // After a fallback this is how it should be until a newer commit comes.
    if (error.code === 'STATE_HELD') return { result: { time, kind: 'held', detail } };
    // So is this until it is unpinned; `status` and the notice say so.
    if (error.code === 'STATE_PINNED') {
      const { found } = error.details;
      return { result: { time, kind: 'pinned', detail: `${detail}: ${found}`.slice(0, 500) } };
    }
    return { result: { time, kind: 'failed', detail }, error };
  }
}

/** Whether the next boot is a deployment's trial. */
async function isArmed(machine: Machine): Promise<boolean> {
  const situation = await readSituation(machine);
  return trialDeployment(situation) !== undefined && !hasFallenBack(machine, situation);
}

/**
 * Arms what is staged and reboots into what is armed. Nothing is rebooted for if it can't be armed: that would go on
 * as long as the window is open. Another pinectl at work, or a hook that refuses: then there is a next time.
 */
async function reboot(machine: Machine, arm: () => Promise<unknown>): Promise<boolean> {
  try {
    return await underLock(machine, async () => {
      const staged = await readStaged(machine, await readSituation(machine));
      if (staged !== undefined) await arm();
      if (!(await isArmed(machine))) return false;
      await machine.effects.reboot();
      return true;
    });
  } catch (error) {
    if (error instanceof PineError && passing.test(error.code)) return false;
    throw error;
  }
}
