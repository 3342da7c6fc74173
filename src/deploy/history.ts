import type { Machine } from './machine.ts';
import type { Origin } from './origin/origin.ts';
import { readOrigin } from './origin/origin-file.ts';
import { readPins } from './pins/pin-file.ts';
import { isPinned } from './pins/pins.ts';
import type { HistoryEvent } from './state.ts';
import { readState } from './state-files.ts';

/** An event of the history, with what is known of its deployment besides. */
export interface ToldEvent extends HistoryEvent {
  /** Whether the deployment is pinned now. */
  readonly pinned: boolean;
  /** Of what was armed: how its image came, where that is on record. */
  readonly origin?: Origin;
}

/** The history, oldest first, and a note when what was known of it is lost. Writes nothing. */
export async function readHistory(
  machine: Machine,
): Promise<{ readonly events: readonly ToldEvent[]; readonly damage?: string | undefined }> {
  const { value, note: damage } = await readState(machine);
  const pins = await readPins(machine);
  const events: ToldEvent[] = [];
  for (const event of value.history) {
    const { deployment: id, commit, time, kind } = event;
    const found = kind === 'armed' ? await readOrigin(machine, { id, commit }) : undefined;
    // An id comes back once its deployment is long gone: the record is then of the later one.
    const origin = found !== undefined && found.time <= time ? found : undefined;
    events.push({ ...event, pinned: isPinned(pins, id), ...(origin && { origin }) });
  }
  return { events, damage };
}
