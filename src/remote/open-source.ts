import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PineError } from '../error.ts';
import type { ByteSource } from '../ports/byte-source.ts';

/**
 * Opens a repository to read from: an http(s) URL, a file URL or the path of a folder. Nothing is read yet.
 * Throws INPUT_REMOTE_URL.
 */
export async function openSource(remote: string): Promise<ByteSource> {
  if (/^https?:/i.test(remote)) {
    const { HttpSource } = await import('./http-source.ts');
    const { parseRemoteUrl } = await import('./remote-url.ts');
    return new HttpSource(parseRemoteUrl(remote));
  }
  const { FolderSource } = await import('./folder-source.ts');
  return new FolderSource(resolve(folderPath(remote)));
}

function folderPath(remote: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(remote)?.[1];
  if (scheme === undefined && remote !== '') return remote;
  try {
    return fileURLToPath(remote);
  } catch {
    throw new PineError('INPUT_REMOTE_URL', 'this is not the place of a repository', {
      expected: 'an http:// or https:// URL, a file:/// URL or the path of a folder',
      found: scheme === undefined ? 'nothing' : `${scheme}://…`,
      where: 'the remote',
      remedy: 'give a URL such as https://example.org/repo, or the path of a folder',
    });
  }
}
