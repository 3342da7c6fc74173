import type { RemoteRepository } from '../../remote/remote-repository.ts';
import type { PublicKey } from '../../trust/keys.ts';

/** The commit that a machine is to run: where it is, and the keys it must be signed with. */
export interface WantedCommit {
  /** A URL or a path. */
  readonly remote: string;
  readonly ref: string;
  readonly keys: readonly PublicKey[];
  /** The same keys as they are written, for the new system. */
  readonly keyTexts: readonly string[];
}

/** Opens the repository at a URL or a path. */
export type OpenRemote = (remote: string) => Promise<RemoteRepository>;
