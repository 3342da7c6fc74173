import { PineError } from '../../error.ts';
import type { SourceFile } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';

/** The file that a path names once links are followed; `undefined` when there is none. */
export function findFile(tree: SourceTree, path: string): SourceFile | undefined {
  const node = tree.resolve(path)?.node;
  return node?.kind === 'file' ? node : undefined;
}

/** Requires a program at one of some paths. Throws INPUT_NOT_BOOTABLE with what to do otherwise. */
export function requireProgram(
  tree: SourceTree,
  paths: readonly string[],
  why: string,
  remedy: string,
): void {
  const found = paths.map((path) => findFile(tree, path)).find((file) => file !== undefined);
  if (found !== undefined && (found.mode & 0o111) !== 0) return;
  throw notBootable(why, {
    expected: `a program at ${paths.join(' or ')}`,
    found: found === undefined ? 'nothing there' : 'a file that may not be executed',
    where: paths[0] ?? '/',
    remedy,
  });
}

/** What every refusal of a tree that can't boot is. */
export function notBootable(
  summary: string,
  details: { expected: string; found: string; where: string; remedy: string },
): PineError {
  return new PineError('INPUT_NOT_BOOTABLE', summary, details);
}
