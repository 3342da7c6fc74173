import { type SourceDirectory, type SourceFile, walkSource } from './source-node.ts';

/** Bytes of all contents of a tree; hard links count once. */
export function sourceSize(root: SourceDirectory): number {
  const seen = new Set<SourceFile>();
  let size = 0;
  for (const [, node] of walkSource(root)) {
    if (node.kind !== 'file' || seen.has(node)) continue;
    seen.add(node);
    size += node.content.size;
  }
  return size;
}
