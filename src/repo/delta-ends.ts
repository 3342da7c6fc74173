import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isChecksum } from './object-name.ts';
import type { Repository } from './repository.ts';

/**
 * The commits that deltas lie between: pine's own in `pine/deltas/TO/FROM.delta`, and those of the stock
 * tool in `deltas/XX/REST`, whose name is base64 with `_` for `/`: `FROM-TO`, or `TO` alone.
 */
export async function commitsOfDeltas(repository: Repository): Promise<Set<string>> {
  const found = new Set<string>();
  const ours = join(repository.path, 'pine/deltas');
  for (const to of await names(ours)) {
    for (const name of await names(join(ours, to))) {
      if (!name.endsWith('.delta')) continue;
      for (const end of [to, name.slice(0, -'.delta'.length)]) if (isChecksum(end)) found.add(end);
    }
  }
  const theirs = join(repository.path, 'deltas');
  for (const prefix of await names(theirs)) {
    for (const rest of await names(join(theirs, prefix))) {
      for (const end of (prefix + rest).split('-')) {
        const checksum = Buffer.from(end.replaceAll('_', '/'), 'base64').toString('hex');
        if (isChecksum(checksum)) found.add(checksum);
      }
    }
  }
  return found;
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
