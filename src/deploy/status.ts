import type { SlotName } from '../boot/choice.ts';
import type { Conflict } from '../etc/conflicts.ts';
import type { KeptTakeOver } from '../take-over/kept.ts';
import { type ToldStory, tellStory } from '../take-over/story.ts';
import type { PublicKey } from '../trust/keys.ts';
import { type LastRun, readAutomatic } from './automatic/record.ts';
import { openConflicts } from './etc/open-conflicts.ts';
import { readTakeOver } from './first-trial/take-over.ts';
import { readWaiting, type Waiting } from './first-trial/waiting.ts';
import { type HealthReport, readHealthReport } from './health/health-report.ts';
import type { FailedHook } from './hooks/run-hooks.ts';
import { readTold } from './hooks/told.ts';
import type { Machine } from './machine.ts';
import { type OldSystemStatus, oldSystemStatus } from './old-system/status.ts';
import type { Pin } from './pins/pins.ts';
import { hasFallenBack, readSituation, type Situation } from './situation.ts';
import { type SlotStatus, slotStatus } from './slot-status.ts';
import type { Staged } from './staging/staged.ts';
import { readStaged } from './staging/staged-file.ts';
import type { HistoryEvent, Hold } from './state.ts';
import { readWriting } from './state-files.ts';

/** A deployment that is not overwritten. Without a slot it is gone: an older pinectl did not know of the pin. */
export interface PinnedDeployment extends Pin {
  readonly slot?: SlotName;
  readonly block?: number;
}

export interface Status {
  readonly running: Machine['running'];
  readonly slots: readonly SlotStatus[];
  readonly trial: {
    readonly deployment: string;
    readonly tries: number;
    /** `running`: on probation now; `armed`: waits for its boot; `failed`: fell back, not yet recorded. */
    readonly state: 'running' | 'armed' | 'failed';
    /** The first trial of a take-over, which waits for a login. */
    readonly waiting: Waiting | null;
  } | null;
  /** The take-over that made this machine out of another system. */
  readonly takeOver: (Omit<KeptTakeOver, 'story'> & ToldStory) | null;
  /** Written, merged, and armed when the machine is rebooted. */
  readonly staged: Staged | null;
  /** False when the boot loader could not follow its choice. */
  readonly choiceReadable: boolean;
  /** The last deployment that was left, and why. */
  readonly lastRollback: HistoryEvent | null;
  /** How the health checks of the last trial ended, whether it was kept or left. */
  readonly health: HealthReport | null;
  /** Hooks that failed after the last confirmation or rollback. */
  readonly failedHooks: readonly FailedHook[];
  /** How the last unattended upgrade ended. */
  readonly automatic: LastRun | null;
  readonly held: readonly Hold[];
  readonly pinned: readonly PinnedDeployment[];
  /** pins.json was damaged: nothing is overwritten until something is pinned or unpinned. */
  readonly pinsLost: boolean;
  /** The system that was here before pine; null where there was none. */
  readonly oldSystem: OldSystemStatus | null;
  readonly writing: {
    readonly commit: string;
    readonly slot: SlotName;
    readonly durable: number;
    readonly size: number;
  } | null;
  /** Paths under /etc of which the local side was kept, until `pinectl etc resolve` settles them. */
  readonly conflicts: readonly Conflict[];
  /** state.json was damaged. */
  readonly stateLost: boolean;
  readonly history: readonly HistoryEvent[];
}

/** Gathers what is known about a machine. Writes nothing and needs no lock. */
export async function readStatus(machine: Machine, keys: readonly PublicKey[]): Promise<Status> {
  const situation = await readSituation(machine);
  const { choice, state, stateLost } = situation;
  const staged = await readStaged(machine, situation);
  const slots: SlotStatus[] = [];
  for (const slot of ['a', 'b'] as const)
    slots.push(await slotStatus(machine, slot, situation, { staged, keys }));
  const writing = await readWriting(machine);
  const left = state.history.findLast(({ kind }) => kind === 'fell-back' || kind === 'rolled-back');
  return {
    running: machine.running,
    slots,
    trial: await trialStatus(machine, situation),
    takeOver: await takeOverStatus(machine),
    staged: staged ?? null,
    choiceReadable: choice !== undefined,
    lastRollback: left ?? null,
    health: (await readHealthReport(machine)) ?? null,
    failedHooks: await failedHooks(machine),
    automatic: (await readAutomatic(machine))?.last ?? null,
    held: state.held,
    pinned: pinnedStatus(situation),
    pinsLost: situation.pins === 'damaged',
    oldSystem: await oldSystemStatus(machine, choice),
    writing: writing
      ? { commit: writing.commit, slot: writing.slot, durable: writing.durable, size: writing.size }
      : null,
    conflicts: await openConflicts(machine),
    stateLost,
    history: state.history,
  };
}

async function failedHooks(machine: Machine): Promise<readonly FailedHook[]> {
  const hooks = (await readTold(machine))?.hooks;
  return hooks?.kind === 'ended' ? hooks.failed : [];
}

function pinnedStatus({ deployments, pins }: Situation): readonly PinnedDeployment[] {
  if (pins === 'damaged') return [];
  return pins.map((pin) => {
    const found = deployments.find(({ id }) => id === pin.deployment);
    return { ...pin, ...(found && { slot: found.slot, block: found.block }) };
  });
}

async function takeOverStatus(machine: Machine): Promise<Status['takeOver']> {
  const kept = await readTakeOver(machine);
  if (kept === undefined) return null;
  const { story, ...rest } = kept;
  return { ...rest, ...tellStory(story) };
}

async function trialStatus(machine: Machine, situation: Situation): Promise<Status['trial']> {
  const trial = situation.choice?.trial;
  if (trial === undefined) return null;
  const known = situation.deployments.find(({ block }) => block === trial.block);
  const state =
    trial.block === machine.running.block
      ? 'running'
      : hasFallenBack(machine, situation)
        ? 'failed'
        : 'armed';
  const waiting = state === 'running' ? ((await readWaiting(machine)) ?? null) : null;
  return { deployment: known?.id ?? `block ${trial.block}`, tries: trial.tries, state, waiting };
}
