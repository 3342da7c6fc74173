import type { Pair } from './delta-pairs.ts';
import type { Measurement } from './measurement.ts';

/** A measurement, and how often it is run unless told otherwise. */
export interface Loaded {
  readonly measure: Measurement;
  readonly usualRuns?: number;
}

/** What is measured of a pair, by name: making its delta, and, where `isApplied`, both ways of applying it. */
export function pairMeasurements(
  name: string,
  pair: Pair,
  isApplied: boolean,
): Record<string, () => Promise<Loaded>> {
  const making = async () => (await import('./delta.ts')).measurementOf(pair);
  const applying = async () => (await import('./apply.ts')).measurementOf(pair);
  const upgrading = async () => (await import('./apply-http.ts')).measurementOf(pair);
  return {
    [`delta:${name}`]: making,
    ...(isApplied ? { [`apply:${name}`]: applying, [`apply-http:${name}`]: upgrading } : {}),
  };
}
