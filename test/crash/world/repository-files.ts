import { encodeIndex } from '../../../src/delta/chain/delta-index.ts';
import { deltaIndexPath, deltaPath } from '../../../src/delta/delta-path.ts';
import { objectPath } from '../../../src/repo/object-name.ts';
import { refPath } from '../../../src/repo/ref-name.ts';
import type { OfferedDelta } from './delta.ts';
import { type Release, ref } from './release.ts';

/** A repository as it lies on a web server or in a bundle: a commit and deltas to it, without its files. */
export function repositoryFiles(
  release: Release,
  deltas: readonly OfferedDelta[],
): Map<string, Buffer> {
  const { checksum, commit, detachedMetadata } = release;
  const links = deltas.map(({ from, to, bytes, made = 80_000, scratch = 0 }) => ({
    from,
    to,
    size: bytes.length,
    made,
    scratch,
  }));
  const sources = [...new Set(deltas.map(({ from }) => from))].map((source) => ({
    commit: source,
    files: 10_000_000,
    links: links.filter(({ from }) => from === source),
  }));
  const index = encodeIndex(checksum, { sources, more: false });
  return new Map([
    ['config', Buffer.from('[core]\nrepo_version=1\nmode=archive-z2\n')],
    [refPath(ref), Buffer.from(`${checksum}\n`)],
    [objectPath(checksum, 'commit'), commit],
    [objectPath(checksum, 'commitmeta'), detachedMetadata],
    [deltaIndexPath(checksum), Buffer.from(index)],
    ...deltas.map((delta): [string, Buffer] => [deltaPath(delta), delta.bytes]),
  ]);
}
