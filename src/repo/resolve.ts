import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../error.ts';
import { isChecksum } from './object-name.ts';
import { readRef } from './refs.ts';
import type { Repository } from './repository.ts';

/**
 * The checksum of the commit that a name means: a ref, a checksum, the unique beginning of one
 * (4 digits or more), each with `^` behind it for the parent. The commit is there.
 *
 * Throws NOT_FOUND_COMMIT, INPUT_REF_NAME, INPUT_AMBIGUOUS_COMMIT.
 */
export async function resolveCommit(repository: Repository, name: string): Promise<string> {
  if (name.endsWith('^')) {
    const child = await resolveCommit(repository, name.slice(0, -1));
    const { parent } = await repository.readCommit(child);
    if (parent !== undefined && repository.has(parent, 'commit')) return parent;
    throw notFound(
      repository,
      name,
      parent === undefined ? 'a first commit' : 'its parent is gone',
    );
  }
  if (isChecksum(name)) {
    if (repository.has(name, 'commit')) return name;
    throw notFound(repository, name, 'no such commit');
  }
  const target = await readRef(repository, name);
  if (target !== undefined) {
    if (repository.has(target, 'commit')) return target;
    throw notFound(repository, name, `a ref to ${target}, which is not there`);
  }
  const candidates = /^[0-9a-f]{4,63}$/.test(name) ? await beginningWith(repository, name) : [];
  const [only, second] = candidates;
  if (only === undefined) throw notFound(repository, name, 'no such ref or commit');
  if (second === undefined) return only;
  throw new PineError('INPUT_AMBIGUOUS_COMMIT', `more than one commit begins with ${name}`, {
    expected: 'the beginning of one checksum',
    found: candidates.join(', '),
    where: repository.path,
    remedy: 'give more digits',
  });
}

async function beginningWith(repository: Repository, digits: string): Promise<string[]> {
  const prefix = digits.slice(0, 2);
  try {
    const names = await readdir(join(repository.path, 'objects', prefix));
    return names
      .filter((name) => name.endsWith('.commit') && name.startsWith(digits.slice(2)))
      .map((name) => prefix + name.slice(0, -'.commit'.length))
      .filter(isChecksum);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function notFound(repository: Repository, name: string, found: string): PineError {
  return new PineError('NOT_FOUND_COMMIT', `there is no commit ${name}`, {
    expected: 'a ref or the checksum of a commit',
    found,
    where: repository.path,
    remedy: '`pinectl refs` lists the refs, `pinectl log REF` the commits of one',
  });
}
