import { pathKind } from '../path-kinds.ts';
import type { Joined } from '../trees/join.ts';

/** A folder on one side that counts, and a file or link on the other. What was before matters only where one is gone. */
export function isMixed({ base, next, local }: Joined): boolean {
  const [one, other] =
    next !== undefined && local !== undefined ? [next, local] : [base, next ?? local];
  if (one === undefined || other === undefined) return false;
  return (one.kind === 'directory') !== (other.kind === 'directory');
}

/** What was a folder can't be compared with what both sides have made a file, nor the other way round. */
export function withComparableBase(joined: Joined): Joined {
  const { base, next, local } = joined;
  const now = next ?? local;
  if (base === undefined || now === undefined) return joined;
  const comparable = (base.kind === 'directory') === (now.kind === 'directory');
  return comparable ? joined : { ...joined, base: undefined };
}

/** Without an old default the new one stands for it, so that nothing here counts as behind; accounts are all brought together. */
export function withoutBase(joined: Joined): Joined {
  const { path, next, local } = joined;
  const known = local !== undefined && !['accounts', 'trust'].includes(pathKind(path));
  return { ...joined, base: known ? next : undefined };
}
