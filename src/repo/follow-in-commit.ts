import { isLinkHeader } from './file-header.ts';
import { readFileHeader } from './file-object.ts';
import { type FoundEntry, findInCommit } from './find-in-commit.ts';
import type { Repository } from './repository.ts';

/** As many as the kernel follows. */
const mostLinks = 40;

/** A path of a commit without links, and what is there. */
export interface Followed {
  readonly path: string;
  readonly entry: FoundEntry;
}

/**
 * Looks a path up in a commit and follows links as in a system that has it as its root: none leads
 * out. `undefined` when nothing is there, or links lead in a circle.
 */
export async function followInCommit(
  repository: Repository,
  commit: string,
  path: string,
): Promise<Followed | undefined> {
  const pending = path.split('/');
  let here: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const name = pending.shift() ?? '';
    if (name === '..') here.pop();
    if (name === '' || name === '.' || name === '..') continue;
    const entry = await findInCommit(repository, commit, [...here, name].join('/'));
    if (entry === undefined) return undefined;
    const header = entry.kind === 'file' ? readFileHeader(repository, entry.checksum) : undefined;
    if (header === undefined || !isLinkHeader(header)) {
      here.push(name);
      continue;
    }
    links += 1;
    if (links > mostLinks) return undefined;
    if (header.target.startsWith('/')) here = [];
    pending.unshift(...header.target.split('/'));
  }
  const entry = await findInCommit(repository, commit, here.join('/'));
  return entry === undefined ? undefined : { path: `/${here.join('/')}`, entry };
}
