import { PineError } from '../../error.ts';

/** Contents of /etc/passwd and /etc/group. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** A name whose number is another one than before. */
export interface ChangedId {
  readonly kind: 'user' | 'group';
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Finds accounts whose uid or gid differs between two trees. Files under /var and /home keep their
 * numbers through an upgrade, so such a change would hand them to somebody else.
 *
 * Names that only one side has are no change. Damaged lines are passed over.
 */
export function findChangedIds(before: AccountFiles, after: AccountFiles): ChangedId[] {
  return [
    ...compare('user', userIds(before.passwd), userIds(after.passwd)),
    ...compare('group', groupIds(before.group), groupIds(after.group)),
  ];
}

/** Throws INPUT_ID_CHANGED, which lists them, unless `allowed`. */
export function checkIds(before: AccountFiles, after: AccountFiles, allowed: boolean): void {
  const changed = allowed ? [] : findChangedIds(before, after);
  if (changed.length === 0) return;
  throw new PineError('INPUT_ID_CHANGED', 'accounts have other numbers than in the parent commit', {
    expected: changed.map(({ kind, name, before }) => `${kind} ${name} = ${before}`).join(', '),
    found: changed.map(({ kind, name, after }) => `${kind} ${name} = ${after}`).join(', '),
    where: '/etc/passwd and /etc/group',
    remedy: 'give them their numbers back; --allow-id-change if no file on a machine is theirs',
  });
}

function compare(
  kind: ChangedId['kind'],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ChangedId[] {
  return [...before].flatMap(([name, id]) => {
    const now = after.get(name);
    return now === undefined || now === id ? [] : [{ kind, name, before: id, after: now }];
  });
}

/** `uid:gid` by name. */
function userIds(passwd: string): Map<string, string> {
  return parse(passwd, /^([^:#]+):[^:]*:(\d+):(\d+):/, (match) => `${match[2]}:${match[3]}`);
}

function groupIds(group: string): Map<string, string> {
  return parse(group, /^([^:#]+):[^:]*:(\d+):/, (match) => String(match[2]));
}

function parse(
  text: string,
  line: RegExp,
  id: (match: RegExpExecArray) => string,
): Map<string, string> {
  const ids = new Map<string, string>();
  for (const match of text.split('\n').map((each) => line.exec(each))) {
    // The first line of a name is the one that counts.
    if (match?.[1] !== undefined && !ids.has(match[1])) ids.set(match[1], id(match));
  }
  return ids;
}
