import { decodeIndex } from '../../delta/chain/delta-index.ts';
import { findDirect } from '../../delta/chain/find-chain.ts';
import { deltaIndexPath, nothing } from '../../delta/delta-path.ts';
import type { PrepareOptions } from './prepare.ts';
import { reasonOf } from './reason.ts';
import type { Survey, UpgradeRemote } from './survey.ts';
import { isOfTheDelta } from './way-errors.ts';
import type { Failures, KnownDeltas, Way } from './ways.ts';
import { whereInRemote } from './where-in-remote.ts';

/**
 * What the remote says of the deltas that lead to the new commit. Where it does not say all, the one from what runs
 * may be there all the same: it is listed with 0 bytes.
 */
export async function readKnownDeltas(
  { running, accepted }: Extract<Survey, { kind: 'new' }>,
  { remote, note }: Pick<PrepareOptions, 'remote' | 'note'>,
): Promise<KnownDeltas> {
  const { checksum: to } = accepted;
  const from = running.checksum;
  const index = await fetchIndex(to, remote, note);
  if (!index.more || findDirect(index, from, to) !== undefined) return index;
  const own = index.sources.find(({ commit }) => commit === from);
  const links = [...(own?.links ?? []), unknownLink(from, to)];
  const others = index.sources.filter((source) => source !== own);
  return { ...index, sources: [...others, { commit: from, files: own?.files, links }] };
}

/** A full delta that no list tells of, where the list does not tell all: to be asked for when nothing else is left. */
export function unlistedFull(index: KnownDeltas, to: string, failures: Failures): Way | undefined {
  const isKnown = !index.more || findDirect(index, nothing, to) !== undefined;
  if (isKnown || failures.has('full')) return undefined;
  return { kind: 'full', bytes: 0, figure: 'at least', links: [unknownLink(nothing, to)] };
}

function unknownLink(from: string, to: string) {
  return { from, to, size: 0, made: 0, scratch: 0 };
}

async function fetchIndex(
  to: string,
  remote: UpgradeRemote,
  note: PrepareOptions['note'],
): Promise<KnownDeltas> {
  const where = whereInRemote(remote, deltaIndexPath(to));
  try {
    const bytes = await remote.fetchDeltaIndex(to);
    if (bytes === undefined) {
      return { sources: [], more: true, doubt: `the ${remote.kind} has no list of deltas` };
    }
    const index = decodeIndex(Buffer.from(bytes).toString(), to, where);
    return index.more ? { ...index, doubt: 'the list does not tell of all' } : index;
  } catch (error) {
    // A list that is damaged, or not given to us, is no reason to end.
    if (!isOfTheDelta(error)) throw error;
    note(`the list of deltas is not used: ${reasonOf(error)}`);
    const doubt = error.code.startsWith('CORRUPT_')
      ? 'the list of deltas is damaged'
      : `the list of deltas can not be read: ${error.message}`;
    return { sources: [], more: true, doubt };
  }
}
