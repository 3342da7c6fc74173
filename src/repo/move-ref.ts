import { PineError } from '../error.ts';
import { boundRefs } from './commit-object.ts';
import { lockForWriting } from './lock.ts';
import { checkRefName } from './ref-name.ts';
import { readRef, writeRef } from './refs.ts';
import type { Repository } from './repository.ts';

/** Refs below this name are tags: made once, never moved. */
export const tagPrefix = 'tags/';

/** What `promote` may be told to allow. */
export interface PromoteOptions {
  /** Moves the ref also to a commit that does not follow the one that it points to. */
  readonly force?: boolean;
  /** Takes a commit that was not made for the ref: machines refuse it, other clients may not. */
  readonly allowUnbound?: boolean;
}

/** Does something as the only writer. Throws STATE_LOCKED. */
export async function asOnlyWriter<T>(repository: Repository, work: () => Promise<T>): Promise<T> {
  const lock = await lockForWriting(repository);
  return work().finally(() => lock.release());
}

/**
 * Points a ref to a commit that exists: this very one, nothing is built. Says what it pointed to before.
 *
 * Throws STATE_NOT_FAST_FORWARD, INPUT_REF_NOT_BOUND, STATE_TAG_FIXED, INPUT_REF_NAME, STATE_LOCKED.
 */
export function promote(
  repository: Repository,
  commit: string,
  ref: string,
  { force = false, allowUnbound = false }: PromoteOptions = {},
): Promise<string | undefined> {
  checkRefName(ref);
  checkMovable(ref);
  return asOnlyWriter(repository, async () => {
    const before = await readRef(repository, ref);
    if (!allowUnbound) await checkBound(repository, commit, ref);
    if (before !== undefined && !force) await checkFollows(repository, commit, ref, before);
    await writeRef(repository, ref, commit);
    return before;
  });
}

/** Gives a commit a name for good. Throws STATE_TAG_FIXED when another commit has it. */
export function tag(repository: Repository, commit: string, name: string): Promise<void> {
  const ref = tagPrefix + name;
  checkRefName(ref);
  return asOnlyWriter(repository, async () => {
    const present = await readRef(repository, ref);
    if (present === commit) return;
    if (present !== undefined) throw fixed(ref, `a tag of ${present}`);
    await writeRef(repository, ref, commit);
  });
}

/** Refuses a ref that is a tag, for what would move it. Throws STATE_TAG_FIXED. */
export function checkMovable(ref: string): void {
  if (ref.startsWith(tagPrefix)) throw fixed(ref, 'a command that moves it');
}

/** Who follows a ref takes only commits that name it (src/trust/policy.ts; ostree does the same). */
async function checkBound(repository: Repository, commit: string, ref: string): Promise<void> {
  const bound = boundRefs(await repository.readCommit(commit)) ?? [];
  if (bound.includes(ref)) return;
  throw new PineError('INPUT_REF_NOT_BOUND', `the commit was not made for the ref ${ref}`, {
    expected: `a commit with ${ref} in its ostree.ref-binding`,
    found: bound.length === 0 ? 'one that names no ref' : `one for ${bound.join(', ')}`,
    where: `commit ${commit}`,
    remedy: `commit with \`--bind-ref ${ref}\`; --allow-unbound moves the ref, but no machine takes it`,
  });
}

async function checkFollows(
  repository: Repository,
  commit: string,
  ref: string,
  before: string,
): Promise<void> {
  let here: string | undefined = commit;
  while (here !== undefined && here !== before) {
    if (!repository.has(here, 'commit')) break;
    here = (await repository.readCommit(here)).parent;
  }
  if (here === before) return;
  throw new PineError('STATE_NOT_FAST_FORWARD', `${ref} would lose what it points to`, {
    expected: `a commit that follows ${before}`,
    found: here === undefined ? `${commit}, which does not` : `a history that ends before ${here}`,
    where: `ref ${ref}`,
    remedy: 'add --force to move it all the same',
  });
}

function fixed(ref: string, found: string): PineError {
  return new PineError('STATE_TAG_FIXED', 'a tag is never moved', {
    expected: 'a new name',
    found,
    where: `ref ${ref}`,
    remedy: `take another name, or delete the tag first: \`pinectl refs --delete ${ref}\``,
  });
}
