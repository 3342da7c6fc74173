import type { PositionedReader } from '../ports/positioned-reader.ts';
import { readContents } from './bundle-contents.ts';
import { readEntries } from './bundle-entries.ts';
import { markName } from './bundle-mark.ts';
import { asPartOfBundle } from './corrupt-bundle.ts';

/** A bundle that is opened: some files of a repository, by their paths in it. Nothing of it is signed. */
export interface Bundle extends BundleFiles {
  /** The one ref that it is for, and the commit that it names. */
  readonly ref: string;
  readonly commit: string;
  /** The commits that its deltas are from, or `nothing`. There is one at least. */
  readonly sources: readonly string[];
}

/** The files of a bundle, whatever they are. */
export interface BundleFiles {
  readonly name: string;
  readonly paths: readonly string[];
  /** One file; `undefined` when the bundle does not have it. */
  file(path: string): PositionedReader | undefined;
}

/**
 * Opens a bundle: docs/bundles.md. Its names, config, ref and list of deltas are checked, so that all who open one are
 * equally strict; commit and deltas are not. Throws CORRUPT_BUNDLE.
 */
export async function openBundle(reader: PositionedReader, name: string): Promise<Bundle> {
  const entries = await asPartOfBundle(name, () => readEntries(reader, name));
  const paths = [...entries.keys()].filter((path) => path !== markName);
  const files: BundleFiles = { name, paths, file: (path) => entries.get(path) };
  return { ...files, ...(await readContents(files)) };
}
