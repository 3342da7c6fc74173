/** What is to be read of a file, and who wants to know how large it is. */
export interface ReadOptions {
  readonly limit: number;
  readonly from?: number;
  /** Told the bytes of the whole file before the first of them is given, where that is known. */
  readonly onSize?: ((bytes: number) => void) | undefined;
}

/**
 * A place that whole files are read from by name: a repository behind HTTP, or in a folder.
 *
 * `path` is relative, with `/`, as `refs/heads/alpine/web`.
 */
export interface ByteSource {
  /** What to call it in messages: a URL without credentials, or a path. */
  readonly name: string;
  /**
   * Streams a file from byte `from` on. Rejects with NOT_FOUND_REMOTE_FILE when it is missing.
   * `limit` bounds what is read in all: one byte more ends in CORRUPT_TOO_LARGE (S5).
   * A connection that breaks is taken up again where it stopped, a bounded number of times.
   */
  open(path: string, options: ReadOptions): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}
