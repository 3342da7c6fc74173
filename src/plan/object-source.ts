/** Where the contents of file objects come from: a repository, a remote. */
export interface ObjectSource {
  /**
   * Streams the plain content of a file object. The stream ends in CORRUPT_OBJECT when it is not
   * `length` bytes or does not match `checksum` (hex); never more than `length` bytes come out (S5).
   */
  open(checksum: string, length: number): AsyncIterable<Uint8Array>;
}
