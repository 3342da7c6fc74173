import type { GrowthOutcome } from './grow-data.ts';

/** How it went, in one line. */
export function describeGrowth(outcome: GrowthOutcome): string {
  const size = mebibytes(outcome.size);
  switch (outcome.kind) {
    case 'unchanged':
      return `the data partition stays at ${size}`;
    case 'grown':
      return `the data partition has grown from ${mebibytes(outcome.before)} to ${size}`;
    case 'next-boot':
      return `the data partition stays at ${size} until the next boot (${outcome.why})`;
    case 'failed':
      return `the data partition does not grow beyond ${size}: ${outcome.why}`;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}
