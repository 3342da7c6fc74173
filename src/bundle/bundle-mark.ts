import type { PositionedReader } from '../ports/positioned-reader.ts';
import { corruptBundle } from './corrupt-bundle.ts';

/** The first member of every bundle, and what it says. */
export const markName = 'pine-bundle';
export const markText = 'pine-bundle 1\n';

/** Room for that of any version to come. */
const longestMark = 32;

/** Checks the first member of what may be a bundle. Throws CORRUPT_BUNDLE, for a later version with what to do then. */
export async function checkMark(
  path: string,
  content: PositionedReader,
  name: string,
): Promise<void> {
  const length = Math.min(content.size, longestMark);
  const text = path === markName ? (await content.read(0, length)).toString() : undefined;
  if (text === markText) return;
  const found = JSON.stringify(text ?? path);
  const mark = { expected: JSON.stringify(markText), found, where: name };
  if (text === undefined || !/^pine-bundle ([2-9]|[1-9]\d{1,5})\n/.test(text)) {
    throw corruptBundle(mark);
  }
  throw corruptBundle({
    ...mark,
    summary: 'this bundle is of a later version than is known here',
    remedy: 'take a newer pinectl, or make the bundle with one of this version',
  });
}
