import { readFileContent, readFileHeader } from '../repo/file-object.ts';
import { followInCommit } from '../repo/follow-in-commit.ts';
import type { Repository } from '../repo/repository.ts';

/** Where apk notes what it installed; `/lib` may be a link to `/usr/lib`. */
const databasePaths = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'];
/** Hundreds of times what a server has (S5). */
const largestDatabase = 64 * 1024 * 1024;

/** A package that is not the same in two trees: added without `before`, removed without `after`. */
export interface PackageChange {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * Versions of packages by name, from the text of apk's database: paragraphs of `X:value` lines. Source:
 * apk-tools, apk-package(5). What is no such line is passed over.
 */
export function parseApkDatabase(text: string): Map<string, string> {
  const packages = new Map<string, string>();
  for (const paragraph of text.split('\n\n')) {
    const name = /^P:(.+)$/m.exec(paragraph)?.[1];
    const version = /^V:(.+)$/m.exec(paragraph)?.[1];
    if (name !== undefined && version !== undefined) packages.set(name, version);
  }
  return packages;
}

/** The packages of a commit; none when it has no apk database. */
export async function packagesOf(
  repository: Repository,
  commit: string,
): Promise<Map<string, string>> {
  for (const path of databasePaths) {
    const found = await followInCommit(repository, commit, path);
    if (found?.entry.kind !== 'file') continue;
    const { checksum } = found.entry;
    if (readFileHeader(repository, checksum).size > largestDatabase) continue;
    const pieces: Uint8Array[] = [];
    for await (const piece of readFileContent(repository, checksum)) pieces.push(piece);
    return parseApkDatabase(Buffer.concat(pieces).toString());
  }
  return new Map();
}

/** What was added, removed or is there in another version, by name. */
export function diffPackages(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): PackageChange[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }))
    .filter((change) => change.before !== change.after);
}
