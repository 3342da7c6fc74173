/**
 * What makes gzip members: GNU gzip and that of busybox, whose choices differ at the very end of the content only, and programs
 * that have it done by zlib, as apk does.
 */
export const gzipPrograms = ['gzip', 'busybox', 'zlib'] as const;
export type GzipProgram = (typeof gzipPrograms)[number];

/** How hard gzip searches: its levels, as far as they look for a better match one byte on. */
export interface Effort {
  /** With a match as long as that at the byte before, only a quarter of the candidates is looked at. */
  readonly good: number;
  /** With one as long as that, none is. */
  readonly lazy: number;
  /** A match as long as that ends the search. */
  readonly nice: number;
  /** So many candidates are looked at. */
  readonly candidates: number;
}

export const leastEffort: Effort = { good: 4, lazy: 4, nice: 16, candidates: 16 };

const efforts: Readonly<Record<number, Effort>> = {
  4: leastEffort,
  5: { good: 8, lazy: 16, nice: 32, candidates: 32 },
  6: { good: 8, lazy: 16, nice: 128, candidates: 128 },
  7: { good: 8, lazy: 32, nice: 128, candidates: 256 },
  8: { good: 32, lazy: 128, nice: 258, candidates: 1024 },
  9: { good: 32, lazy: 258, nice: 258, candidates: 4096 },
};

/** `undefined` for a level that is not known. */
export function effortOf(level: number): Effort | undefined {
  return efforts[level];
}
