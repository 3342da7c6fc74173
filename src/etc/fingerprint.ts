import { createHash } from 'node:crypto';
import type { FileSystem } from '../ports/file-system.ts';
import { pathKind } from './path-kinds.ts';
import { walkEtc } from './walk.ts';

/**
 * A digest of what `stat` shows of an /etc, without the volatile files: another one means that somebody has changed it
 * meanwhile. No file is read.
 */
export async function fingerprintEtc(files: FileSystem, root: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const { xattrs: _, ...entry } of walkEtc(files, root)) {
    if (pathKind(entry.path) !== 'volatile') hash.update(`${JSON.stringify(entry)}\n`);
  }
  return hash.digest('hex');
}
