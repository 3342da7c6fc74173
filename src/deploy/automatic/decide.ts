import { createHash } from 'node:crypto';
import type { AutomaticSettings } from './automatic-settings.ts';
import type { LocalTime } from './local-time.ts';
import type { AutomaticRecord } from './record.ts';
import { lengthOf, type Occurrence, occurrenceAt, type Window } from './window.ts';

/** Minutes at the end of a window that no delay reaches into: the next look must still fall into it. */
const margin = 45;

/** The occurrence for which this machine should look for something new now, if that is not done yet. */
export function dueUpgrade(
  settings: AutomaticSettings,
  { seed, done }: Pick<AutomaticRecord, 'seed' | 'done'>,
  time: LocalTime,
): Occurrence | undefined {
  const open = openFor(settings.when, settings.delay, seed, time);
  return open?.day === done ? undefined : open;
}

/** Whether this machine may reboot now. */
export function mayReboot(settings: AutomaticSettings, seed: string, time: LocalTime): boolean {
  const { how, reboot, delay } = settings;
  return how === 'reboot' && openFor(reboot, delay, seed, time) !== undefined;
}

/** The open occurrence of a window, once this machine's delay in it is over. */
function openFor(
  window: Window,
  delay: number,
  seed: string,
  time: LocalTime,
): Occurrence | undefined {
  const open = occurrenceAt(window, time);
  if (open === undefined) return undefined;
  const most = Math.min(delay / 60, Math.max(lengthOf(window) - margin, 0));
  return open.minutes >= share(seed, open.day) * most ? open : undefined;
}

/** A number from 0 to 1 that differs between machines, and for one machine between days. */
function share(seed: string, day: string): number {
  return createHash('sha256').update(`${seed} ${day}`).digest().readUInt32BE(0) / 2 ** 32;
}
