/** One way of doing the job that is measured. */
export interface Contestant {
  /** Such as `pinectl commit`, or the program next to it. */
  readonly name: string;
  /** Median of the runs, in seconds of wall-clock time, and each run. */
  readonly seconds: number;
  readonly runs: readonly number[];
  /** Median of the processor time of all its threads and of the programs that it ran, in seconds. */
  readonly processor: number;
  /** Most bytes of memory that were resident at once, over all runs; absent where it is not known. */
  readonly peakMemory?: number;
  /** Other figures, by name: `fetched`, `written`, in bytes. The table has ratios of those that the first one has. */
  readonly bytes?: Readonly<Record<string, number>>;
  /** Name of the contestant that did the same job: ratios are to it instead of the first one. */
  readonly peer?: string;
}

/** What a measurement found. The first contestant is pine; ratios are to it, or to the peer that a contestant names. */
export interface Result {
  /** What was done, to what, in one line. */
  readonly what: string;
  readonly contestants: readonly Contestant[];
  /** What a reader must know to judge the figures, and what could not be measured, and why. */
  readonly notes: readonly string[];
}

/** What a measurement is given. */
export interface Bench {
  readonly runs: number;
  /** An empty folder of its own; removed afterwards. */
  readonly folder: string;
  /** Bytes a second that the disk reads and writes, both together, on which a delta is applied; as fast as it is without. */
  readonly diskRate?: number;
  /** The roots of an Alpine server before and after a security update; throws CannotMeasure where there are none. */
  roots(): Promise<{ readonly v1: string; readonly v2: string }>;
}

/** A file of this folder, `NAME.ts`, exports one. */
export type Measurement = (bench: Bench) => Promise<Result>;

/** Thrown when this machine lacks what a measurement needs. The message says what. */
export class CannotMeasure extends Error {
  override readonly name = 'CannotMeasure';
}
