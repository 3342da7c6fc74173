import { basename } from 'node:path/posix';
import { encodeTrailer } from '../../image/trailer.ts';
import type { Progress } from '../../ports/progress.ts';
import { freeBlock, newDeploymentId } from '../deployments.ts';
import { allChecks } from '../health/all-checks.ts';
import { baselineOf } from '../health/baseline.ts';
import { runChecks } from '../health/health-check.ts';
import { askHooks, type HookSubject } from '../hooks/run-hooks.ts';
import type { Machine } from '../machine.ts';
import { takenBlocks } from '../pins/protection.ts';
import type { Situation } from '../situation.ts';
import { readWriting } from '../state-files.ts';
import { chooseWay } from './choose-way.ts';
import { argumentsForTrial } from './kernel-arguments.ts';
import { noFreeBlock, throwOnConflicts } from './refuse.ts';
import { checkSpace } from './space.ts';
import type { Survey, SurveyOptions } from './survey.ts';
import type { Work } from './work.ts';

/** Bytes between two checkpoints of a slot write: what a cut costs at most, and how often the medium is flushed. */
const standardCheckpoint = 16 * 1024 * 1024;

export interface PrepareOptions extends SurveyOptions {
  /** Refuses the upgrade when files under /etc are in conflict. */
  readonly strict?: boolean;
  readonly note: (text: string) => void;
  readonly progress?: Progress | undefined;
  /** Bytes between two checkpoints of the slot write; 16 MiB when not given. */
  readonly checkpointBytes?: number;
}

/**
 * Gets everything that the writing part needs: room, what fails already, the plans, and whether an earlier run
 * left something to go on with. Of the machine only pine's own folder is written to.
 */
export async function prepare(
  machine: Machine,
  situation: Situation,
  found: Extract<Survey, { kind: 'new' }>,
  options: PrepareOptions,
): Promise<Work> {
  const { configuration, remote, note, progress } = options;
  const { accepted, target, running, own } = found;
  const kept = await checkSpace(machine, target, accepted, running); // S10
  const outcomes = await runChecks(await allChecks(machine, configuration.health));
  const failing = outcomes.filter(({ passed }) => !passed);
  for (const { name, detail } of failing) note(`health check ${name} fails already: ${detail}`);
  const { id, resumeAt } = await findResumption(machine, situation, found);
  const subject: HookSubject = {
    commit: accepted.checksum,
    version: accepted.version ?? '',
    slot: target.slot,
    deployment: id,
    reason: '',
  };
  if (options.strict) await refuseConflicts(machine, found, options);
  await askHooks(machine, 'before-staging', subject, configuration.hooks);

  const { wayTaken, ...way } = await chooseWay(machine, found, { ...options, kept });
  const taken = takenBlocks(situation, target.unlisted.order);
  const block = freeBlock(situation.deployments, taken, target.slot);
  if (block === undefined) throw noFreeBlock(taken);
  return {
    machine,
    target,
    block,
    resumeAt,
    deployment: {
      id,
      slot: target.slot,
      kernelArguments: argumentsForTrial(own.kernelArguments, configuration.trial.deadline),
      commit: accepted.checksum,
    },
    strict: options.strict ?? false,
    tries: configuration.trial.tries,
    deadline: configuration.trial.deadline,
    version: subject.version,
    askBeforeArming: () => askHooks(machine, 'before-arming', subject, configuration.hooks),
    image: accepted.image,
    trailer: encodeTrailer({
      imageSize: accepted.image.size,
      commit: accepted.commit,
      detachedMetadata: accepted.detachedMetadata,
    }),
    ...way,
    origin: () => ({
      commit: accepted.checksum,
      time: machine.clock.now(),
      kind: remote.kind,
      place: remote.name,
      ref: configuration.ref,
      ...wayTaken(resumeAt),
      fetched: remote.received,
      signedBy: basename(accepted.signedBy),
    }),
    objects: remote.objects,
    checkpointBytes: options.checkpointBytes ?? standardCheckpoint,
    baseline: { deployment: id, failing: baselineOf(outcomes) },
    progress,
    note,
  };
}

async function refuseConflicts(
  machine: Machine,
  found: Extract<Survey, { kind: 'new' }>,
  { remote, note }: PrepareOptions,
): Promise<void> {
  const { previewConflicts } = await import('../etc/preview-etc.ts');
  const conflicts = await previewConflicts(machine, found, { remote, note, store: true });
  throwOnConflicts(conflicts ?? [], machine.etc);
}

/** S7: the same commit for the same slot goes on where it was cut; anything else starts over. */
async function findResumption(
  machine: Machine,
  situation: Situation,
  { accepted, target }: Extract<Survey, { kind: 'new' }>,
): Promise<{ id: string; resumeAt: number }> {
  const writing = await readWriting(machine);
  if (
    writing?.commit === accepted.checksum &&
    writing.relist === undefined && // not a repair, which has no deployment of its own
    writing.slot === target.slot &&
    writing.size === accepted.image.size
  ) {
    return { id: writing.deployment, resumeAt: writing.durable };
  }
  const folders = (await machine.files.readFolder(`${machine.data}/etc`)) ?? [];
  const blocks = situation.deployments.map(({ id }) => id);
  return { id: newDeploymentId(accepted.checksum, new Set([...folders, ...blocks])), resumeAt: 0 };
}
