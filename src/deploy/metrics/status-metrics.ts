import { basename } from 'node:path/posix';
import type { SlotStatus } from '../slot-status.ts';
import type { Status } from '../status.ts';
import type { Metric, Sample } from './exposition.ts';

/** What a status is to a monitoring system. Times are seconds since 1970, sizes bytes. */
export function statusMetrics(status: Status): readonly Metric[] {
  const { running, slots, trial, staged, lastRollback, history, automatic } = status;
  const metric = (name: string, help: string, samples: readonly Sample[]): Metric => {
    return { name: `pine_${name}`, help, samples };
  };
  const contents = slots.flatMap(({ contents: found, ...slot }) =>
    found === undefined ? [] : [{ ...found, ...slot, labels: slotLabels(slot) }],
  );
  return [
    metric('booted_info', 'The deployment that runs.', [
      one({
        deployment: running.deployment,
        slot: running.slot,
        choice: running.choice,
        data: running.data,
      }),
    ]),
    metric('slot_info', 'What is in a slot, and the trusted key that signed it.', [
      ...contents.map(({ labels, version, commit, imageSha256, signedBy, origin }) =>
        one({
          ...labels,
          version,
          commit,
          image_sha256: imageSha256,
          signed_by: basename(signedBy ?? ''),
          from: origin?.place ?? '',
          way: origin?.way ?? '',
        }),
      ),
    ]),
    metric(
      'slot_readable',
      'Whether a slot says what it holds: 0 while it is empty, damaged or written.',
      slots.map((slot) => of(flag(slot.contents !== undefined), slotLabels(slot))),
    ),
    metric(
      'slot_signed',
      'Whether a key that is trusted now signed what is in a slot.',
      contents.map(({ labels, signedBy }) => of(flag(signedBy !== null), labels)),
    ),
    metric(
      'slot_commit_timestamp_seconds',
      'When the commit in a slot was made.',
      contents.map(({ labels, timestamp }) => of(timestamp, labels)),
    ),
    metric(
      'slot_arrival_timestamp_seconds',
      'When the image in a slot was whole, where that is on record.',
      contents.flatMap(({ labels, origin }) => (origin ? [of(origin.time, labels)] : [])),
    ),
    metric(
      'slot_fetched_bytes',
      'Bytes that were fetched for the image in a slot, where that is on record.',
      contents.flatMap(({ labels, origin }) => (origin ? [of(origin.fetched, labels)] : [])),
    ),
    metric(
      'slot_image_bytes',
      'Size of the image in a slot.',
      contents.map(({ labels, imageSize }) => of(imageSize, labels)),
    ),
    metric(
      'slot_room_bytes',
      'The largest image that fits into a slot.',
      slots.flatMap((slot) => (slot.room === undefined ? [] : [of(slot.room, slotLabels(slot))])),
    ),
    metric(
      'slot_deployment_info',
      'Deployments that may boot.',
      slots.flatMap(({ slot, deployments }) =>
        deployments.map(({ id, state, pinned }) =>
          one({ slot, deployment: id, state, pinned: String(pinned) }),
        ),
      ),
    ),
    metric('trial_state', 'Whether a trial is running, armed or has failed.', [
      ...(['running', 'armed', 'failed'] as const).map((state) =>
        of(flag(trial?.state === state), { state }),
      ),
    ]),
    metric('trial_tries_left', 'Tries that the trial has left; 0 without one.', [
      of(trial?.tries ?? 0),
    ]),
    metric('staged', 'Whether an upgrade is staged, which a reboot arms.', [
      of(flag(staged !== null)),
    ]),
    metric(
      'last_event_timestamp_seconds',
      'When something last happened to a deployment, by kind.',
      kinds.flatMap((kind) => {
        const event = history.findLast((candidate) => candidate.kind === kind);
        return event === undefined ? [] : [of(event.time, { kind })];
      }),
    ),
    metric(
      'last_rollback_info',
      'The last deployment that was left, and why.',
      lastRollback === null
        ? []
        : [
            one({
              kind: lastRollback.kind,
              deployment: lastRollback.deployment,
              version: lastRollback.version,
              reason: lastRollback.reason,
            }),
          ],
    ),
    metric('conflicts', 'Files of /etc that are in conflict.', [of(status.conflicts.length)]),
    metric('held_commits', 'Commits that are not tried again by themselves.', [
      of(status.held.length),
    ]),
    metric('pinned_deployments', 'Deployments that nothing overwrites.', [
      of(status.pinned.length),
    ]),
    metric('failed_hooks', 'Hooks that failed after the last confirmation or rollback.', [
      of(status.failedHooks.length),
    ]),
    metric(
      'automatic_last_run_info',
      'How the last unattended upgrade ended.',
      automatic === null ? [] : [one({ result: automatic.kind, detail: automatic.detail })],
    ),
    metric(
      'automatic_last_run_timestamp_seconds',
      'When the last unattended upgrade was.',
      automatic === null ? [] : [of(automatic.time)],
    ),
    metric('data_degraded', 'Whether the machine runs without its data partition.', [
      of(flag(running.data === 'degraded')),
    ]),
    metric('state_damaged', 'Whether something that pine keeps is damaged.', [
      of(flag(!status.choiceReadable), { what: 'boot-choice' }),
      of(flag(status.stateLost), { what: 'state' }),
      of(flag(status.pinsLost), { what: 'pins' }),
    ]),
  ];
}

const kinds = ['armed', 'confirmed', 'rolled-back', 'fell-back', 'recovered', 'degraded'] as const;

function slotLabels({ slot, running }: Pick<SlotStatus, 'slot' | 'running'>) {
  return { slot, booted: String(running) };
}

function of(value: number, labels: Sample['labels'] = {}): Sample {
  return { labels, value };
}

/** What only has labels to tell. */
function one(labels: Sample['labels']): Sample {
  return { labels, value: 1 };
}

function flag(holds: boolean): 0 | 1 {
  return holds ? 1 : 0;
}
