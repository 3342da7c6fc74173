import type { UpgradeRemote } from '../../../src/deploy/upgrade/survey.ts';
import { PineError } from '../../../src/error.ts';
import { type Release, ref } from './release.ts';

/** A remote in memory whose ref names `release`; the objects of all `releases` are there. */
export function remoteOf(release: Release, changes: Partial<UpgradeRemote> = {}): UpgradeRemote {
  let received = 0;
  return {
    kind: 'remote',
    name: 'memory',
    get received() {
      return received;
    },
    objects: {
      async *open(checksum) {
        const content = release.objects.get(checksum);
        if (content === undefined) throw missing(`object ${checksum}`);
        for (let at = 0; at < content.length; at += 65536) {
          const piece = content.subarray(at, at + 65536);
          received += piece.length;
          yield piece;
        }
      },
    },
    checkMode: async () => {},
    resolveRef: async (name) => {
      if (name === ref) return release.checksum;
      throw missing(name);
    },
    fetchCommit: async () => ({
      commit: release.commit,
      detachedMetadata: release.detachedMetadata,
    }),
    async *fetchPlan() {
      yield release.plan;
    },
    fetchDeltaIndex: async () => undefined,
    // biome-ignore lint/correctness/useYield: it has none
    async *fetchDelta() {
      throw missing('a delta');
    },
    close: async () => {},
    ...changes,
  };
}

/** The error of a remote that does not have something. */
export function missing(what: string): PineError {
  return new PineError('NOT_FOUND_REMOTE_FILE', 'missing', {
    expected: what,
    found: 'nothing',
    where: 'memory',
    remedy: '',
  });
}
