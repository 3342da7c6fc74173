import { nothing } from '../../delta/delta-path.ts';
import { PineError } from '../../error.ts';
import type { Survey, UpgradeRemote } from './survey.ts';
import type { Failures, KnownDeltas, Way } from './ways.ts';

/** The subject of a sentence about each kind of way. */
export const wayNames: Readonly<Record<Way['kind'], string>> = {
  delta: 'the delta is',
  chain: 'the chain of deltas is',
  full: 'the full delta is',
  files: 'files are',
};

/** Nothing that the remote has makes the new image. */
export function noWay(
  { running, accepted }: Extract<Survey, { kind: 'new' }>,
  { kind, name }: UpgradeRemote,
  { sources, doubt }: KnownDeltas,
  failures: Failures,
): PineError {
  const known = sources.map(({ commit }) => (commit === nothing ? 'nothing' : commit));
  const listed = known.length === 0 ? 'none of them' : `deltas from ${known.join(', ')}`;
  const failed = [...failures].map(([way, why]) => `${wayNames[way]} no use: ${why}`);
  const doubts = doubt === undefined ? [] : [doubt];
  return new PineError('NOT_FOUND_WAY', 'nothing leads from what runs to the new image', {
    expected: `a delta from ${running.checksum} to ${accepted.checksum}, a full one, or files`,
    found: failed.length === 0 ? [listed, ...doubts].join('; ') : failed.join('; '),
    where: `the ${kind} ${name}`,
    remedy:
      kind === 'bundle'
        ? 'copy or make it again, with that delta or a full one: pinectl bundle create'
        : 'make them again on the build host: pinectl delta generate, pinectl plan',
  });
}
