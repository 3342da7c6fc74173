import { dirname } from 'node:path';
import type { FileSystem } from '../../ports/file-system.ts';

/**
 * Replaces a file for a textfile collector: whoever reads it finds the old text or the new one. The new one is made
 * under a name that does not end in `.prom`, so that it is no file of the collector's. Its folder must be there.
 */
export async function writeMetrics(files: FileSystem, path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await files.writeFile(temporary, Buffer.from(text), 0o644);
  await files.sync(temporary);
  await files.rename(temporary, path);
  await files.sync(dirname(path));
}
