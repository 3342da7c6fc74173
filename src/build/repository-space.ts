import { statfs } from 'node:fs/promises';
import { PineError } from '../error.ts';

/** What an object takes on disk besides its content: its header, and the rest of its last block. */
const perObject = 4096;

/**
 * Refuses to begin when new objects could run out of room (S10). The bound is what they take if they
 * don't deflate at all. Throws SPACE_REPOSITORY; sizes are bytes.
 */
export async function checkRepositorySpace(
  path: string,
  contents: readonly number[],
): Promise<void> {
  const needed = contents.reduce((sum, size) => sum + size + perObject, 0);
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new PineError('SPACE_REPOSITORY', 'the repository has not enough room for this commit', {
    expected: `${needed} bytes free, in case that nothing can be deflated`,
    found: `${free} bytes`,
    where: path,
    remedy: 'free some space, or prune old commits: `pinectl prune --depth N`',
  });
}
