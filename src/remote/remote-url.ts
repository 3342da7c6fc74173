import { PineError } from '../error.ts';

/** The address of a repository behind HTTP, its credentials kept apart from what is printed. */
export interface RemoteUrl {
  /** Ends in `/` and carries no credentials. */
  readonly base: URL;
  /** The value of an Authorization header, from `user:password@` in the URL. */
  readonly authorization: string | undefined;
}

/** Parses an http or https URL of a repository's folder; throws INPUT_REMOTE_URL. */
export function parseRemoteUrl(text: string): RemoteUrl {
  const base = URL.canParse(text) ? new URL(text) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw wrongUrl(text, 'an http:// or https:// URL');
  }
  if (base.search !== '' || base.hash !== '') {
    throw wrongUrl(text, 'the URL of a folder, without ? and #');
  }
  const authorization = basicAuthorization(base, text);
  base.username = '';
  base.password = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return { base, authorization };
}

/** A URL as it may be printed: no credentials, and no query, which may hold a token. */
export function printableUrl(url: URL): string {
  return url.origin + url.pathname;
}

function basicAuthorization(url: URL, text: string): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    throw wrongUrl(text, 'a user name and password with %25 for each %');
  }
}

/** What can't be parsed is printed from its last `@` on only: before it may be a password. */
function wrongUrl(text: string, expected: string): PineError {
  const shown = text.slice(text.lastIndexOf('@') + 1).replace(/[?#].*$/s, '…');
  return new PineError('INPUT_REMOTE_URL', 'this is not the URL of a repository', {
    expected,
    found: JSON.stringify(shown),
    where: 'the remote',
    remedy: 'give a URL such as https://example.org/repo, or the path of a folder',
  });
}
