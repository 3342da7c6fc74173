/** The time, as a port, so that a test can stop it. */
export interface Clock {
  /** Seconds since 1970, whole. */
  now(): number;
}

export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) };
