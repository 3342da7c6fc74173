import { deltaFolder, deltaIndexPath, deltaPath } from '../delta/delta-path.ts';
import { isChecksum, objectPath } from '../repo/object-name.ts';
import { checkRefName, refPath } from '../repo/ref-name.ts';
import { checkConfig } from '../repo/repository-config.ts';
import type { Bundle, BundleFiles } from './bundle-file.ts';
import { checkIndex } from './check-index.ts';
import { asPartOfBundle, corruptBundle } from './corrupt-bundle.ts';
import { readSmall } from './read-small.ts';

const configLimit = 64 * 1024;
/** 64 digits and a newline. */
const refLimit = 65;

/** What the names and the small files of a bundle tell. Throws CORRUPT_BUNDLE when they do not make one. */
export async function readContents(
  files: BundleFiles,
): Promise<Pick<Bundle, 'ref' | 'commit' | 'sources'>> {
  const { name, paths } = files;
  const ref = await asPartOfBundle(name, () => refOf(files));
  const commit = await readRef(files, refPath(ref));
  const object = objectPath(commit, 'commit');
  if (!paths.includes(object)) {
    const summary = 'the bundle does not have its commit';
    throw corruptBundle({ summary, expected: object, found: 'no such file', where: name });
  }
  const sources = sourcesOf(paths, commit);
  checkNames(files, [
    ...['config', refPath(ref), object, objectPath(commit, 'commitmeta'), deltaIndexPath(commit)],
    ...sources.map((from) => deltaPath({ from, to: commit })),
  ]);
  const config = await readSmall(files, 'config', configLimit);
  await asPartOfBundle(name, () => checkConfig(config, 'config'));
  if (sources.length === 0) {
    const summary = 'a bundle without a delta is of no use';
    throw corruptBundle({ summary, expected: 'a delta', found: 'none', where: name });
  }
  await checkIndex(files, commit, sources);
  return { ref, commit, sources };
}

/** The name of the one ref. Throws INPUT_REF_NAME. */
function refOf({ name, paths }: BundleFiles): string {
  const start = 'refs/heads/';
  const [path, ...others] = paths.filter((each) => each.startsWith(start));
  if (path === undefined || others.length > 0) {
    const found = path === undefined ? 'none' : JSON.stringify([path, ...others]);
    throw corruptBundle({ expected: 'one file in refs/heads', found, where: name });
  }
  const ref = path.slice(start.length);
  checkRefName(ref);
  return ref;
}

async function readRef(files: BundleFiles, path: string): Promise<string> {
  const text = await readSmall(files, path, refLimit);
  const commit = text.replace(/\n$/, '');
  if (isChecksum(commit)) return commit;
  const where = `${files.name}, ${path}`;
  throw corruptBundle({ expected: '64 hex digits', found: JSON.stringify(text), where });
}

/** The commits that the deltas to `to` are from. */
function sourcesOf(paths: readonly string[], to: string): string[] {
  const start = `${deltaFolder}/${to}/`;
  return paths
    .filter((path) => path.startsWith(start) && path.endsWith('.delta'))
    .map((path) => path.slice(start.length, -'.delta'.length))
    .filter(isChecksum);
}

/** Whoever unpacks a bundle finds these names and no others: none leads elsewhere. */
function checkNames({ name, paths }: BundleFiles, known: readonly string[]): void {
  const other = paths.find((path) => !known.includes(path));
  if (other === undefined) return;
  const expected = 'one ref, its commit and deltas to it';
  throw corruptBundle({ expected, found: JSON.stringify(other), where: name });
}
