import { PineError } from '../../error.ts';
import type { Digest } from '../../image/digest.ts';
import type { ObjectSource } from '../../plan/object-source.ts';
import type { ReadOptions } from '../../ports/byte-source.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { PublicKey } from '../../trust/keys.ts';
import type { AcceptedCommit } from '../../trust/policy.ts';
import type { Configuration } from '../configuration.ts';
import type { Numbered } from '../deployments.ts';
import type { Machine } from '../machine.ts';
import { refusePinned } from '../pins/protection.ts';
import {
  armedDeployment,
  refuseDegraded,
  refuseEmergency,
  runningDeployment,
  type Situation,
} from '../situation.ts';
import { readSlot, type SlotContents } from '../slot-contents.ts';
import type { Staged } from '../staging/staged.ts';
import { readStaged } from '../staging/staged-file.ts';
import { chooseTarget, type Target } from '../target.ts';
import { refuseArmed } from './refuse.ts';

/** A repository to upgrade from. Nothing that it gives is believed (S5). */
export interface UpgradeRemote {
  readonly kind: 'remote' | 'bundle';
  readonly name: string;
  readonly objects: ObjectSource;
  /** Bytes that came over the wire so far, without the protocol's own. */
  readonly received: number;
  checkMode(): Promise<void>;
  resolveRef(ref: string): Promise<string>;
  fetchCommit(
    checksum: string,
  ): Promise<{ commit: Uint8Array; detachedMetadata: Uint8Array | undefined }>;
  /** Streams a plan; ends in CORRUPT_PLAN when it is not what `digest` says. */
  fetchPlan(checksum: string, digest: Digest): AsyncIterable<Uint8Array>;
  /** The list of deltas that lead to a commit, unchecked; `undefined` when there is none. */
  fetchDeltaIndex(commit: string): Promise<Uint8Array | undefined>;
  /** Streams a delta from byte `from` on, unchecked; NOT_FOUND_REMOTE_FILE when there is none. */
  fetchDelta(
    ends: { readonly from: string; readonly to: string },
    options: ReadOptions & { readonly from: number },
  ): AsyncIterable<Uint8Array>;
  /** Why single files can't be fetched, if that is so: a bundle has none. */
  readonly noFiles?: string;
  /** A delta that need not be fetched, to be read by position, unchecked; throws as `fetchDelta`. */
  openDelta?(ends: { readonly from: string; readonly to: string }, limit: number): PositionedReader;
  close(): Promise<void>;
}

export interface SurveyOptions {
  readonly configuration: Configuration;
  readonly keys: readonly PublicKey[];
  readonly remote: UpgradeRemote;
  /** Takes a held commit all the same. */
  readonly retry: boolean;
  readonly allowDowngrade: boolean;
}

/** What an upgrade would do, as far as the remote's commit and the machine's state tell. */
export type Survey =
  /** The ref names what runs. */
  | { readonly kind: 'up-to-date'; readonly running: SlotContents }
  /** The ref names what is armed and waits for the reboot. */
  | { readonly kind: 'already-armed'; readonly running: SlotContents; readonly armed: Numbered }
  /** The ref names what is staged: it is to be armed. */
  | { readonly kind: 'staged'; readonly running: SlotContents; readonly staged: Staged }
  | {
      readonly kind: 'new';
      readonly running: SlotContents;
      readonly own: Numbered;
      readonly target: Target;
      readonly accepted: AcceptedCommit;
    };

/**
 * Decides whether there is something to do, and whether it may be done. Writes nothing. Refusals of the machine's
 * state come before the network is asked.
 */
export async function survey(
  machine: Machine,
  situation: Situation,
  options: SurveyOptions,
): Promise<Survey> {
  const { configuration, remote, keys } = options;
  refuseDegraded(machine);
  refuseEmergency(machine, situation);
  const target = chooseTarget(machine, situation.choice, situation.deployments); // S1
  const own = runningDeployment(machine, situation.deployments);
  const running = await readRunningSlot(machine, own);

  await remote.checkMode();
  const checksum = await remote.resolveRef(configuration.ref);
  if (checksum === running.checksum) return { kind: 'up-to-date', running };
  const armed = armedDeployment(machine, situation);
  if (armed?.commit === checksum) return { kind: 'already-armed', running, armed };
  // A change of kernel arguments would be lost: the new deployment has those of the running one.
  if (armed?.slot === machine.running.slot) throw refuseArmed(armed);
  const { acceptCommit } = await import('../../trust/policy.ts');
  const accepted = await acceptCommit({
    checksum,
    ...(await remote.fetchCommit(checksum)),
    keys,
    followedRef: configuration.ref,
    running: { commit: running.checksum, timestamp: running.commit.timestamp },
    allowDowngrade: options.allowDowngrade,
    bootCompatibility: machine.bootLoader.compatibility,
  });
  const hold = situation.state.held.find(({ commit }) => commit === checksum);
  if (hold !== undefined && !options.retry) {
    throw new PineError('STATE_HELD', 'this commit was left before and is held', {
      expected: 'a commit that was not tried yet',
      found: hold.reason,
      where: `commit ${checksum}`,
      remedy: 'commit a newer one, or try it again with `pinectl upgrade --retry`',
    });
  }
  const staged = await readStaged(machine, situation);
  if (staged?.commit === checksum) return { kind: 'staged', running, staged };
  refusePinned(machine, situation, target, describeCommit(accepted));
  return { kind: 'new', running, own: own as Numbered, target, accepted };
}

function describeCommit({ version, checksum }: AcceptedCommit): string {
  const commit = `commit ${checksum.slice(0, 12)}`;
  return version === undefined || version === '' ? commit : `${version} (${commit})`;
}

/** What runs, as its slot says: the base of the upgrade, and what a commit must not be older than. */
async function readRunningSlot(machine: Machine, own: Numbered | undefined): Promise<SlotContents> {
  const { slots, running } = machine;
  const opener = slots[running.slot];
  const contents = await readSlot(opener);
  if (contents !== undefined && contents.checksum === own?.commit) return contents;
  throw new PineError('CORRUPT_TRAILER', 'the running slot does not say what runs', {
    expected: `a trailer of commit ${own?.commit}`,
    found: contents === undefined ? 'none' : contents.checksum,
    where: opener.name,
    remedy: 'go to the other deployment (`pinectl rollback`), then upgrade from there',
  });
}
