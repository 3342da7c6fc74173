import { grubCompatibility } from '../../boot/grub/grub.ts';
import type { RemoteRepository } from '../../remote/remote-repository.ts';
import { RemoteTree } from '../../remote/remote-tree.ts';
import { decodeCommit } from '../../repo/commit-object.ts';
import type { PublicKey } from '../../trust/keys.ts';
import { acceptCommit } from '../../trust/policy.ts';
import { readCommitDrivers } from './commit-drivers.ts';
import { findMissingDrivers, type MissingDriver, type NeededDevice } from './drivers.ts';

/** The commit that a system would be replaced by, once its signature was checked. */
export interface CommitFacts {
  readonly checksum: string;
  readonly version: string | undefined;
  readonly timestamp: number;
  readonly signedBy: string;
  /** Bytes. */
  readonly imageSize: number;
  readonly missingDrivers: readonly MissingDriver[];
}

/** Looks at what a ref of a remote names. Throws what trust/policy.ts throws for a commit not to be taken. */
export async function readCommitFacts(
  remote: RemoteRepository,
  ref: string,
  keys: readonly PublicKey[],
  devices: readonly NeededDevice[],
): Promise<CommitFacts> {
  await remote.checkMode();
  const checksum = await remote.resolveRef(ref);
  const accepted = await acceptCommit({
    checksum,
    ...(await remote.fetchCommit(checksum)),
    keys,
    followedRef: ref,
    bootCompatibility: grubCompatibility,
  });
  // S5: only now is anything asked for that the commit names.
  const { rootTree } = decodeCommit(accepted.commit, `commit ${checksum}`);
  const drivers = await readCommitDrivers(new RemoteTree(remote, rootTree), devices);
  const { version, timestamp, signedBy, image } = accepted;
  return {
    ...{ checksum, version, timestamp, signedBy, imageSize: image.size },
    missingDrivers: findMissingDrivers(devices, drivers),
  };
}
