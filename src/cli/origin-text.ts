import type { Origin } from '../deploy/origin/origin.ts';
import { formatBytes } from './output.ts';

/** How an image came, in words: `from https://… (alpine/x86_64/web) by a delta, 1.20 MB fetched`. */
export function describeOrigin({
  kind,
  place,
  ref,
  way,
  deltas,
  fetched,
  resumedAt,
}: Origin): string {
  const from = kind === 'bundle' ? `bundle ${place}` : place;
  const size =
    kind === 'bundle' ? `${formatBytes(fetched)} read` : `${formatBytes(fetched)} fetched`;
  const ways = {
    delta: 'by a delta',
    chain: `by ${deltas} deltas, one after the other`,
    full: 'by a full delta',
    files: 'by files',
  };
  const before = resumedAt === 0 ? '' : `, ${formatBytes(resumedAt)} of it were written before`;
  return `from ${from} (${ref}) ${ways[way]}, ${size}${before}`;
}
