import { decodeIndex, indexLimit } from '../delta/chain/delta-index.ts';
import { deltaIndexPath, deltaPath } from '../delta/delta-path.ts';
import type { BundleFiles } from './bundle-file.ts';
import { asPartOfBundle, corruptBundle } from './corrupt-bundle.ts';
import { readSmall } from './read-small.ts';

/**
 * Checks that a bundle's list of deltas tells of those from `sources` to `commit`, which are in it: a machine takes
 * what is listed. Throws CORRUPT_BUNDLE.
 */
export async function checkIndex(
  files: BundleFiles,
  commit: string,
  sources: readonly string[],
): Promise<void> {
  const path = deltaIndexPath(commit);
  const text = await readSmall(files, path, indexLimit);
  const index = await asPartOfBundle(files.name, () => decodeIndex(text, commit, path));
  const where = `${files.name}, ${path}`;
  const links = index.sources.flatMap((source) => source.links);
  for (const { from, to, size } of links) {
    const found = to === commit ? files.file(deltaPath({ from, to }))?.size : undefined;
    if (found === size) continue;
    throw corruptBundle({
      expected: `a delta of ${size} bytes, as is listed: ${deltaPath({ from, to })}`,
      found: found === undefined ? 'no such file' : `${found} bytes`,
      where,
    });
  }
  // A list has an end: what has no room in it is asked for all the same.
  const missing = sources.find((source) => !links.some(({ from }) => from === source));
  if (index.more || missing === undefined) return;
  const expected = `a line for ${deltaPath({ from: missing, to: commit })}`;
  throw corruptBundle({ expected, found: 'none', where });
}
