/** How long the network may take. Times are milliseconds. */
export interface Timeouts {
  /** For the name, TCP and TLS together. */
  readonly connect: number;
  /** Between a request and its answer, and between two pieces of a body. */
  readonly idle: number;
  /** After so much waiting for a body, at least `slowBytes` per second must have come. */
  readonly slowWindow: number;
  readonly slowBytes: number;
  /** Waits before the second, third … attempt. Their number bounds the attempts. */
  readonly pauses: readonly number[];
}

export const defaultTimeouts: Timeouts = {
  connect: 15_000,
  idle: 30_000,
  slowWindow: 60_000,
  slowBytes: 256,
  pauses: [500, 1000, 2000, 4000],
};

/** Waits; a port, so that tests do not. */
export type Pause = (milliseconds: number) => Promise<void>;
