import type { SourceDirectory, SourceNode } from './source-node.ts';

/** A path without links, and what is there. */
export interface FoundNode {
  readonly path: string;
  readonly node: SourceNode;
}

/** As many as the kernel follows. */
const mostLinks = 40;

/**
 * What a path names once links are followed inside a tree; `undefined` when nothing is there or links
 * lead in a circle. A `..` that leads out of the root stays in it, as on the booted system, or is
 * refused: nothing is there.
 */
export function followLinks(
  root: SourceDirectory,
  path: string,
  atRoot: 'stay' | 'refuse',
): FoundNode | undefined {
  const pending = path.split('/');
  const trail: { name: string; node: SourceNode }[] = [];
  for (let links = 0; pending.length > 0; ) {
    const name = pending.shift() ?? '';
    const here = trail.at(-1)?.node ?? root;
    if (name === '..' && trail.pop() === undefined && atRoot === 'refuse') return undefined;
    if (name === '' || name === '.' || name === '..') continue;
    const node = here.kind === 'directory' ? here.entries.get(name) : undefined;
    if (node === undefined) return undefined;
    if (node.kind !== 'symlink') {
      trail.push({ name, node });
      continue;
    }
    links += 1;
    if (links > mostLinks) return undefined;
    if (node.target.startsWith('/')) trail.length = 0;
    pending.unshift(...node.target.split('/'));
  }
  return {
    path: `/${trail.map((step) => step.name).join('/')}`,
    node: trail.at(-1)?.node ?? root,
  };
}
