import { existsSync, realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { PineError } from '../../error.ts';
import type { Recipe } from '../../repo/recipe.ts';
import { gitFileSystem } from './git-file-system.ts';
import { findGitFolders, type GitFolders } from './git-folders.ts';
import { withoutCredentials } from './remote-url.ts';
import { type Difference, findDifference } from './work-tree-state.ts';

/** What is known of a folder's recipe. */
export interface RecipeReading {
  readonly recipe: Recipe;
  /** The first thing that makes the work tree dirty, and why its state is unknown if it is. */
  readonly reason: string | undefined;
}

type Git = typeof import('isomorphic-git').default;

/**
 * Which git revision a folder is of, and whether its work tree holds just that. `undefined` when it is in
 * no work tree. Nothing of the repository is written or run, whoever it belongs to.
 *
 * Throws INPUT_RECIPE when there is no such folder, and for a work tree without a commit or that can't be read.
 */
export async function readRecipe(folder: string): Promise<RecipeReading | undefined> {
  if (!existsSync(folder)) throw noRecipe(folder, 'no such folder');
  const folders = findGitFolders(folder);
  if (folders === undefined) return undefined;
  // It is large: only who builds out of git pays for it.
  const { default: git } = await import('isomorphic-git');
  const origin = await readOrigin(git, folders);
  const inside = relative(folders.workTree, realpathSync(folder));
  const about = { ...origin, ...(inside === '' ? {} : { folder: inside }) };
  try {
    const found = await findDifference(git, folders, origin.revision);
    const state = found === undefined ? 'clean' : 'dirty';
    return { recipe: { ...about, state }, reason: found && describe(found) };
  } catch (error) {
    return { recipe: { ...about, state: 'unknown' }, reason: (error as Error).message };
  }
}

/** The same of a folder that must be in a work tree. Throws INPUT_RECIPE. */
export async function readGivenRecipe(folder: string): Promise<RecipeReading> {
  const reading = await readRecipe(folder);
  if (reading !== undefined) return reading;
  throw noRecipe(folder, 'no git work tree');
}

/** The same of one that must be clean. Throws STATE_RECIPE_DIRTY, INPUT_RECIPE. */
export async function readCleanRecipe(folder: string): Promise<RecipeReading> {
  const reading = await readGivenRecipe(folder);
  if (reading.recipe.state === 'clean') return reading;
  throw new PineError('STATE_RECIPE_DIRTY', 'the recipe is not just what its revision says', {
    expected: `a work tree that is clean at ${reading.recipe.revision}`,
    found: `${reading.recipe.state}: ${reading.reason}`,
    where: folder,
    remedy: 'commit or remove what `git status` names, or leave out --require-clean',
  });
}

async function readOrigin(git: Git, folders: GitFolders): Promise<Omit<Recipe, 'state'>> {
  const { gitFolder: gitdir, workTree } = folders;
  const repository = { fs: gitFileSystem(folders), gitdir };
  try {
    const branch = await git.currentBranch(repository);
    const revision = await git.resolveRef({ ...repository, ref: 'HEAD' });
    const remote = await remoteUrl(git, repository, branch ?? undefined);
    return {
      revision,
      ...(branch ? { branch } : {}),
      ...(remote === undefined ? {} : { remote: withoutCredentials(remote) }),
    };
  } catch (error) {
    const { name, message } = error as Error;
    const isEmpty = name === 'NotFoundError';
    throw noRecipe(workTree, isEmpty ? 'a branch without a commit' : message);
  }
}

/** Of the remote that the branch follows, else of `origin`, else of the only one. */
async function remoteUrl(
  git: Git,
  repository: { fs: ReturnType<typeof gitFileSystem>; gitdir: string },
  branch: string | undefined,
): Promise<string | undefined> {
  const remotes = await git.listRemotes(repository);
  const path = `branch.${branch}.remote`;
  const followed = branch === undefined ? undefined : await git.getConfig({ ...repository, path });
  const named = (name: string) => remotes.find(({ remote }) => remote === name)?.url;
  const only = remotes.length === 1 ? remotes[0]?.url : undefined;
  return named(String(followed)) ?? named('origin') ?? only;
}

function describe({ path, what }: Difference): string {
  return `${path} (${what})`;
}

function noRecipe(where: string, found: string): PineError {
  return new PineError('INPUT_RECIPE', 'it is not known where the recipe came from', {
    expected: 'a folder in a git work tree with a commit',
    found,
    where,
    remedy: 'give another --recipe, or --no-recipe to record nothing',
  });
}
