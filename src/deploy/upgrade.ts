import type { Deployment } from '../boot/choice.ts';
import type { Conflict } from '../etc/conflicts.ts';
import type { ObjectSource } from '../plan/object-source.ts';
import { findHooks } from './hooks/run-hooks.ts';
import { readKept } from './kept/kept-paths.ts';
import type { Machine } from './machine.ts';
import { withNotice } from './notice.ts';
import { settleIfFallenBack } from './settle.ts';
import { markSettled, readSituation, type Situation } from './situation.ts';
import { armingWork } from './staging/arming-work.ts';
import type { Staged } from './staging/staged.ts';
import { removeWriting } from './state-files.ts';
import { underLock } from './under-lock.ts';
import { type PrepareOptions, prepare } from './upgrade/prepare.ts';
import type { WaysPreview } from './upgrade/preview-ways.ts';
import { checkSpace } from './upgrade/space.ts';
import { armingSteps, runSteps, stagingSteps } from './upgrade/steps.ts';
import { type Survey, survey } from './upgrade/survey.ts';
import { tidy } from './upgrade/tidy.ts';
import type { ArmingWork } from './upgrade/work.ts';

export interface UpgradeOptions extends PrepareOptions {
  readonly reboot: boolean;
  /** What nothing depends on is done once the new deployment is armed, and before the reboot. It must not throw. */
  readonly afterArming?: (deployment: Deployment, version: string) => Promise<void>;
}

export interface UpgradeOutcome {
  readonly kind: 'up-to-date' | 'staged' | 'already-armed' | 'armed';
  readonly commit: string;
  readonly version: string;
  /** The deployment that the next boot tries, or that a reboot arms on its way. */
  readonly deployment?: string;
  readonly slot?: 'a' | 'b';
  /** Bytes that came over the wire, everything counted, and how many objects were among them. */
  readonly fetched?: { readonly bytes: number; readonly objects: number };
  readonly resumedAt?: number;
  readonly rebooting: boolean;
}

/**
 * Brings the other slot to what the followed ref names, and stages it. With a reboot to come it is also armed for a
 * trial; without, that happens when the machine goes down. Run again after any cut, it goes on and ends in the same
 * state (S7).
 */
export function upgrade(machine: Machine, options: UpgradeOptions): Promise<UpgradeOutcome> {
  return withNotice(machine, () => bringUpToDate(machine, options));
}

async function bringUpToDate(machine: Machine, options: UpgradeOptions): Promise<UpgradeOutcome> {
  return underLock(machine, async () => {
    const settled = await settleIfFallenBack(machine, options.note);
    const found = await survey(machine, settled, options);
    if (found.kind === 'staged') return await goOn(machine, settled, found.staged, options);
    if (found.kind !== 'new') return await nothingToWrite(machine, found, options);

    const work = await prepare(machine, settled, found, options);
    const { objects, count } = counted(work.objects);
    await markSettled(machine);
    await runSteps(stagingSteps, { ...work, objects });
    const end = await afterStaging(machine, work, options);
    const fetched = { bytes: options.remote.received, objects: count() };
    return { ...end, fetched, resumedAt: work.resumeAt };
  });
}

/** Arms what is staged and reboots, or leaves both to whoever reboots the machine. */
async function afterStaging(
  machine: Machine,
  work: ArmingWork,
  options: UpgradeOptions,
): Promise<UpgradeOutcome> {
  const { deployment, version } = work;
  const { id, commit, slot } = deployment;
  const outcome = { commit, version, deployment: id, slot, rebooting: options.reboot };
  if (!options.reboot) {
    await tidy(machine);
    return { kind: 'staged', ...outcome };
  }
  await runSteps(armingSteps, work);
  await tidy(machine);
  await options.afterArming?.(deployment, version);
  await machine.effects.reboot();
  return { kind: 'armed', ...outcome };
}

/** What an earlier run has staged needs no byte more (S7). */
async function goOn(
  machine: Machine,
  situation: Situation,
  staged: Staged,
  options: UpgradeOptions,
): Promise<UpgradeOutcome> {
  const { hooks } = options.configuration;
  const work = armingWork(machine, situation, staged, { hooks, note: options.note });
  await removeWriting(machine);
  await markSettled(machine);
  return afterStaging(machine, work, options);
}

async function nothingToWrite(
  machine: Machine,
  found: Exclude<Survey, { kind: 'new' | 'staged' }>,
  options: UpgradeOptions,
): Promise<UpgradeOutcome> {
  if (found.kind === 'up-to-date') {
    const { checksum, version } = found.running;
    return { kind: found.kind, commit: checksum, version, rebooting: false };
  }
  // A run that was cut between arming and its end: the rest of it (S7).
  await removeWriting(machine);
  await tidy(machine);
  if (options.reboot) await machine.effects.reboot();
  const { id, commit, slot } = found.armed;
  return {
    kind: found.kind,
    commit,
    version: '',
    deployment: id,
    slot,
    rebooting: options.reboot,
  };
}

/** What an upgrade would take. */
export interface UpgradePreview extends Partial<WaysPreview> {
  readonly kind: Survey['kind'];
  readonly from: { readonly commit: string; readonly version: string };
  readonly to?: { readonly commit: string; readonly version: string; readonly signedBy: string };
  readonly slot?: 'a' | 'b';
  readonly imageBytes?: number;
  /** Hooks that are asked before. */
  readonly hooks?: readonly string[];
  /** Paths under /etc that both sides have changed and that can't be merged; absent where that can't be told yet. */
  readonly conflicts?: readonly Conflict[];
  /** What a rollback leaves as it is then: databases, say. */
  readonly notRolledBack?: readonly string[];
}

/** Looks at what an upgrade would do, with (`plan`) or without its bytes counted. Writes nothing. */
export async function previewUpgrade(
  machine: Machine,
  options: PrepareOptions & { readonly plan: boolean },
): Promise<UpgradePreview> {
  const found = await survey(machine, await readSituation(machine), options);
  const { running } = found;
  const from = { commit: running.checksum, version: running.version };
  if (found.kind === 'already-armed') {
    const to = { commit: found.armed.commit, version: '', signedBy: '' };
    return { kind: found.kind, from, to, slot: found.armed.slot };
  }
  if (found.kind === 'up-to-date') return { kind: found.kind, from };
  if (found.kind === 'staged') {
    const { commit, version, slot } = found.staged;
    return { kind: found.kind, from, to: { commit, version, signedBy: '' }, slot };
  }
  const { accepted, target } = found;
  const { checksum, version = '', signedBy, image } = accepted;
  const preview: UpgradePreview = {
    kind: found.kind,
    from,
    to: { commit: checksum, version, signedBy },
    slot: target.slot,
    imageBytes: image.size,
  };
  if (!options.plan) return preview;
  const kept = await checkSpace(machine, target, accepted, running);
  const { previewWays } = await import('./upgrade/preview-ways.ts');
  const ways = await previewWays(machine, found, options, kept);
  const hooks = [
    ...(await findHooks(machine, 'before-staging')),
    ...(await findHooks(machine, 'before-arming')),
  ].map(({ path }) => path);
  const { previewConflicts } = await import('./etc/preview-etc.ts');
  const { remote, note } = options;
  const conflicts = await previewConflicts(machine, found, { remote, note, store: false });
  const { paths } = await readKept(machine);
  return {
    ...preview,
    ...ways,
    hooks,
    ...(conflicts && { conflicts }),
    notRolledBack: paths.map(({ path }) => path),
  };
}

/** Counts the objects that are opened. */
function counted(source: ObjectSource): { objects: ObjectSource; count: () => number } {
  let opened = 0;
  const objects: ObjectSource = {
    open(checksum, length) {
      opened += 1;
      return source.open(checksum, length);
    },
  };
  return { objects, count: () => opened };
}
