/** What a commit promises of a byte sequence (an image, a plan): its size in bytes and SHA-256. */
export interface Digest {
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}
