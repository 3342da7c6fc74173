import type { IncomingMessage } from 'node:http';
import { PineError } from '../error.ts';
import { Interruption } from './interruption.ts';

const maxRetryAfter = 30_000;

/** What a status other than 200, 206, 416 and a redirect means: an error, or a reason to try again. */
export function statusError(response: IncomingMessage, where: string): Error {
  const status = response.statusCode ?? 0;
  const found = `${status} ${response.statusMessage ?? ''}`.trim();
  if (status === 404 || status === 410) {
    return new PineError('NOT_FOUND_REMOTE_FILE', 'the remote does not have this file', {
      expected: 'a file',
      found,
      where,
      remedy: 'check the URL and the ref; the repository may be incomplete (`pinectl fsck`)',
    });
  }
  if (status === 401 || status === 403 || status === 407) {
    return new PineError('REMOTE_REFUSED', 'the remote does not let us in', {
      expected: 'permission to read',
      found,
      where,
      remedy: 'check the user name and password in the URL, and the rights of the files',
    });
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
    return new Interruption('REMOTE_STATUS', {
      expected: 'the file',
      found,
      retryAfter: seconds >= 0 ? Math.min(seconds * 1000, maxRetryAfter) : undefined,
    });
  }
  return new PineError('REMOTE_STATUS', 'the remote gave an unexpected answer', {
    expected: '200 OK',
    found,
    where,
    remedy: 'check that the URL is that of a repository',
  });
}
