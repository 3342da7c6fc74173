import { PineError } from '../error.ts';
import { isChecksum } from './object-name.ts';

/**
 * Refuses a ref name that OSTree would not take, that could leave refs/heads (`../x`), or that
 * could be taken for a checksum. Throws INPUT_REF_NAME.
 */
export function checkRefName(name: string): void {
  if (isRefName(name)) return;
  throw new PineError('INPUT_REF_NAME', `${JSON.stringify(name)} can't be the name of a ref`, {
    expected: 'letters, digits and . _ - between single slashes, no part that starts with a dot',
    found: JSON.stringify(name),
    where: 'the ref name',
    remedy: 'use a name such as alpine/x86_64/web',
  });
}

/** Whether OSTree would take it as the name of a ref. */
export function isRefName(name: string): boolean {
  const wellFormed = /^[-._\w]+(\/[-._\w]+)*$/.test(name) && name.length <= 1024;
  const hidden = name.split('/').some((part) => part.startsWith('.') || part.length > 255);
  return wellFormed && !hidden && !name.startsWith('-') && !isChecksum(name);
}

/** Where a ref's file lies: `NAME` in refs/heads, `REMOTE:NAME` in refs/remotes. */
export function refPath(ref: string): string {
  const colon = ref.indexOf(':');
  const remote = ref.slice(0, Math.max(colon, 0));
  checkRefName(ref.slice(colon + 1));
  if (colon < 0) return `refs/heads/${ref}`;
  checkRefName(remote);
  return `refs/remotes/${remote}/${ref.slice(colon + 1)}`;
}
