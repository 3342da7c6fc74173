import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Where the parts of a git work tree are. */
export interface GitFolders {
  /** The top of the work tree. */
  readonly workTree: string;
  /** HEAD and the index: `.git`, or what a file `.git` names (linked work trees, submodules). */
  readonly gitFolder: string;
  /** Objects, refs and configuration: the same, but for linked work trees. */
  readonly common: string;
}

/** A file that says `gitdir: PATH` or a path is a line; more than this is something else. */
const longestPath = 8192;

/** The work tree that a folder is in; `undefined` when it is in none, or in a bare repository. */
export function findGitFolders(folder: string): GitFolders | undefined {
  for (let here = realpathSync(folder); ; here = dirname(here)) {
    const found = gitFoldersOf(here);
    if (found !== undefined) return found;
    if (isGitFolder(here) || here === dirname(here)) return undefined;
  }
}

/** The same of the top of a work tree. */
export function gitFoldersOf(workTree: string): GitFolders | undefined {
  const dotGit = join(workTree, '.git');
  const status = lstatSync(dotGit, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  const named = status.isFile() ? /^gitdir: (.+?)[\r\n]*$/s.exec(readShort(dotGit))?.[1] : dotGit;
  if (named === undefined) return undefined;
  const gitFolder = resolve(workTree, named);
  if (!existsSync(join(gitFolder, 'HEAD'))) return undefined;
  const common = readShort(join(gitFolder, 'commondir')).trim();
  return { workTree, gitFolder, common: resolve(gitFolder, common) };
}

function isGitFolder(folder: string): boolean {
  return ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)));
}

/** A small file; `''` when it is not there or not small. */
function readShort(path: string): string {
  const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size === 0 || size > longestPath ? '' : readFileSync(path, 'utf8');
}
