import type { BundleFiles } from './bundle-file.ts';
import { corruptBundle } from './corrupt-bundle.ts';

/** The text of a file that every bundle has, and that has at most `limit` bytes (S5). Throws CORRUPT_BUNDLE. */
export async function readSmall(
  { name, file }: BundleFiles,
  path: string,
  limit: number,
): Promise<string> {
  const content = file(path);
  if (content !== undefined && content.size <= limit) {
    return (await content.read(0, content.size)).toString();
  }
  throw corruptBundle({
    expected: `a file of at most ${limit} bytes`,
    found: content === undefined ? 'no such file' : `${content.size} bytes`,
    where: `${name}, ${path}`,
  });
}
