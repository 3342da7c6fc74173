import { PineError } from '../../error.ts';

/** What every damage of the repository ends in: CORRUPT_ETC_HISTORY. */
export function damaged(found: string, where: string, cause?: unknown): PineError {
  return new PineError('CORRUPT_ETC_HISTORY', 'the history of /etc is damaged', {
    expected: 'a git repository as pine writes it',
    found,
    where,
    remedy: 'run `pinectl etc record`: it begins a new history; the damaged one is kept beside it',
    cause,
  });
}

/**
 * Runs something of isomorphic-git. What it throws about bytes that make no sense becomes CORRUPT_ETC_HISTORY; what
 * the system refused passes through.
 */
export async function readingGit<T>(where: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof PineError && error.code !== 'CORRUPT_TOO_LARGE') throw error;
    if (!isAboutBytes(error)) throw error;
    throw damaged(error instanceof Error ? error.message : String(error), where, error);
  }
}

function isAboutBytes(error: unknown): boolean {
  if (error instanceof PineError || error instanceof TypeError || error instanceof RangeError) {
    return true;
  }
  const { code, syscall, isIsomorphicGitError } = error as {
    code?: string;
    syscall?: string;
    isIsomorphicGitError?: boolean;
  };
  return isIsomorphicGitError === true || (syscall === undefined && /^(Z|ERR)_/.test(code ?? ''));
}
