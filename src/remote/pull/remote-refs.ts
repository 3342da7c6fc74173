import { PineError } from '../../error.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import { listRefs } from '../../repo/refs.ts';
import { Repository } from '../../repo/repository.ts';
import { decodeSummary } from '../../repo/summary.ts';
import { fileName } from '../file-name.ts';
import { FolderSource } from '../folder-source.ts';
import type { RemoteRepository } from '../remote-repository.ts';

/**
 * The refs of a remote: of a folder those that are there, over HTTP those of its summary.
 * Throws NOT_FOUND_REMOTE_SUMMARY, CORRUPT_….
 */
export async function listRemoteRefs(
  remote: RemoteRepository,
  source: ByteSource,
): Promise<string[]> {
  if (source instanceof FolderSource) {
    const refs = await listRefs(await Repository.open(source.name));
    return [...refs.keys()].filter((ref) => !ref.includes(':'));
  }
  const summary = await remote.fetchSummary();
  if (summary !== undefined)
    return [...decodeSummary(summary, fileName(remote.name, 'summary')).keys()];
  throw new PineError('NOT_FOUND_REMOTE_SUMMARY', 'the remote does not say which refs it has', {
    expected: 'a file named summary',
    found: 'none',
    where: remote.name,
    remedy: 'name the refs to pull, or run `pinectl summary` on the build host',
  });
}
