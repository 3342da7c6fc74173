/**
 * The system that is looked at before it is replaced: its files, and programs that only report.
 * Nothing here writes. Tests give one that is made of recorded answers.
 */
export interface Host {
  /** A text of at most `limit` bytes (1 MiB); `undefined` when it is missing or can't be read. */
  readText(path: string, limit?: number): Promise<string | undefined>;
  /** Names in a folder, sorted; none when it is missing. */
  list(path: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
  /** Where a path leads once every link is followed; `undefined` when it is missing. */
  resolve(path: string): Promise<string | undefined>;
  /** Bytes of a file or device. */
  readBytes(path: string, position: number, length: number): Promise<Buffer>;
  /**
   * What a program that changes nothing prints on stdout, without its last newline; `undefined` when it is missing,
   * fails, or takes more than so many seconds (60).
   */
  report(program: string, args: readonly string[], seconds?: number): Promise<string | undefined>;
  readonly userId: number;
  /** The user who called sudo, or whoever runs this. */
  readonly invokingUser: string;
  /** As Node.js names it: `x64`. */
  readonly processor: string;
}
