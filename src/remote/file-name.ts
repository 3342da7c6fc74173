import { PineError } from '../error.ts';

/** What to call a file of a repository in messages: a URL ends in a slash already, a folder does not. */
export function fileName(repository: string, path: string): string {
  return `${repository.replace(/\/$/, '')}/${path}`;
}

/**
 * Splits the path of a file in a repository (`refs/heads/alpine/web`) into its parts.
 * Throws INPUT_REMOTE_PATH for one that could lead out of the repository or that no server can name.
 */
export function splitPath(path: string, where: string): string[] {
  const parts = path.split('/');
  const wrong = parts.some((part) => part === '' || part === '.' || part === '..');
  if (!wrong && !path.includes('\0') && !path.includes('\\') && path.isWellFormed()) return parts;
  throw new PineError('INPUT_REMOTE_PATH', 'this can not be the name of a file in a repository', {
    expected: 'a relative path such as refs/heads/alpine/web, without . and ..',
    found: JSON.stringify(path),
    where,
    remedy: 'check the ref that was given',
  });
}
