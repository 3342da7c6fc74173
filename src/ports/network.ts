/**
 * The network as health checks see it, and the time that they wait for it. Every method that takes `seconds`
 * rejects, in words, when they are over.
 */
export interface Network {
  /** Asks the system's resolver for a host, as every program does. */
  lookUp(host: string, seconds: number): Promise<void>;
  /** The first line that a server says by itself to whoever connects. */
  readBanner(address: string, port: number, seconds: number): Promise<string>;
  /** Reads from the repository at a URL or path that it is one. */
  reach(remote: string, seconds: number): Promise<void>;
  /** Seconds on a clock that nobody sets: it never jumps. */
  elapsed(): number;
  wait(seconds: number): Promise<void>;
}
