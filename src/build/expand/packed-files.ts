import { compareBytes } from '../../repo/tree.ts';
import type { SourceDirectory, SourceFile, SourceSymlink } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import { type Candidate, candidate } from './candidates.ts';

/** A name in a tree. */
interface Named {
  readonly path: string;
  readonly folder: SourceDirectory;
  readonly name: string;
}

/** A packed file that can be expanded. */
export interface PackedFile extends Named, Candidate {
  readonly node: SourceFile;
}

/** A symbolic link, wherever it is. `plainName` is there when the name says of itself that it is packed. */
export interface NamedLink extends Named {
  readonly node: SourceSymlink;
  readonly plainName: string | undefined;
}

/** The files of a tree that can be expanded, and all its links; the same tree gives the same order. */
export function packedFiles(tree: SourceTree): {
  readonly files: readonly PackedFile[];
  readonly links: readonly NamedLink[];
} {
  const files: PackedFile[] = [];
  const links: NamedLink[] = [];
  const visit = (folder: SourceDirectory, prefix: string): void => {
    for (const [name, node] of [...folder.entries].sort(([a], [b]) => compareBytes(a, b))) {
      const path = `${prefix}/${name}`;
      if (node.kind === 'directory') {
        visit(node, path);
        continue;
      }
      const found = candidate(path);
      const named = { path, folder, name };
      if (node.kind === 'symlink') links.push({ ...named, node, plainName: found?.plainName });
      else if (found !== undefined) files.push({ ...named, ...found, node });
    }
  };
  visit(tree.root, '');
  return { files, links };
}
