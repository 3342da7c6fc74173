import { join } from 'node:path';
import type { Expansion, OpenedExpansion } from '../build/expand/expand-compressed.ts';
import type { SourceTree } from '../build/source-tree.ts';
import type { Repository } from '../repo/repository.ts';
import { formatBytes } from './output.ts';
import { terminalProgress } from './progress.ts';

/** Expands what is packed in a tree, with a progress bar. */
export async function expand(repository: Repository, tree: SourceTree): Promise<OpenedExpansion> {
  const { expandCompressed } = await import('../build/expand/expand-compressed.ts');
  const progress = terminalProgress();
  const folder = join(repository.path, 'tmp');
  return expandCompressed(tree, folder, progress.report).finally(progress.end);
}

/** What it did, a line each. */
export function expansionNotes({ kept, ...all }: Expansion): string[] {
  const { files, links, bytesBefore, bytesAfter } = all;
  const bytes = `${formatBytes(bytesBefore)} became ${formatBytes(bytesAfter)}`;
  return [
    `Expanded: ${files} files and ${links} links to them, ${bytes}`,
    ...kept.map(({ path, reason }) => `${path} stays packed: ${reason}`),
  ];
}

/** The same for --json. */
export function expansionJson({ files, links, bytesBefore, bytesAfter, kept }: Expansion): object {
  return { files, links, bytesBefore, bytesAfter, kept };
}
