import { dirname } from 'node:path/posix';
import { bytesContent, type SourceFile, walkSource } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import { isManual } from './candidates.ts';
import type { RenamedFiles } from './renamed-files.ts';

/** A manual that only stands for another one is a line or two. */
const largestReference = 1024;
const reference = /^(\.so[ \t]+)(\S+)/gm;

/** Corrects manuals that are `.so man1/other.1.gz` where the other one has been expanded. */
export async function followManualReferences(
  tree: SourceTree,
  renamed: RenamedFiles,
): Promise<void> {
  const changed: (readonly [string, SourceFile])[] = [];
  for (const [path, node] of walkSource(tree.root)) {
    if (node.kind !== 'file' || !isManual(path) || node.content.size > largestReference) continue;
    const text = await textOf(node);
    // Names in them are counted from the folder that the sections are in.
    const top = dirname(dirname(path));
    const other = text.replace(reference, (line, request: string, to: string) => {
      const found = renamed.newPath(to, top) ?? renamed.newPath(to, dirname(path));
      return found === undefined ? line : request + found;
    });
    if (other === text) continue;
    changed.push([path, { ...node, content: bytesContent(Buffer.from(other, 'latin1')) }]);
  }
  for (const [path, node] of changed) tree.put(path, node);
}

async function textOf({ content }: SourceFile): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.open()) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}
