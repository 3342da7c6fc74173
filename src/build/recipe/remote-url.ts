/**
 * A git remote's URL as anybody may read it: no user, password or token, no query and no fragment, which
 * hold tokens too. The user of an SSH address stays: it is part of the address (`git@host`).
 */
export function withoutCredentials(url: string): string {
  // `transport::address` names a helper program; the address is what counts.
  const [, helper = '', address = url] = /^([\w+.-]+::)(.*)$/s.exec(url) ?? [];
  const [, scheme = '', authority = '', path = ''] =
    /^([a-z][a-z\d+.-]*:\/\/)([^/?#]*)(.*)$/is.exec(address) ?? [];
  if (scheme === '') return url;
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const user = authority.slice(0, Math.max(at, 0)).replace(/:.*$/s, '');
  const isSsh = /ssh:\/\/$/i.test(scheme) && user !== '';
  return `${helper}${scheme}${isSsh ? `${user}@` : ''}${host}${path.replace(/[?#].*$/s, '')}`;
}
