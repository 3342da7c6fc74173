import type { LoginUser } from '../login.ts';

/** The three files of accounts, as text. */
export interface Accounts {
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string;
}

/** Accounts with the old system's users added, and who could not be. */
export interface CarriedAccounts extends Accounts {
  /** Those that were added or were there, root included. */
  readonly users: readonly LoginUser[];
  readonly notes: readonly string[];
}

/**
 * Adds the old system's users to the image's accounts. The image's own stay as they are, but root gets a
 * password that still works. Without one a user is `*`: keys only (`!` would lock the account for sshd).
 *
 * `hashes` has the old shadow file's second fields by name, `shells` what the image has.
 */
export function carryAccounts(
  image: Accounts,
  users: readonly LoginUser[],
  hashes: ReadonlyMap<string, string>,
  shells: ReadonlySet<string>,
): CarriedAccounts {
  const taken = image.passwd.split('\n').map((line) => line.split(':'));
  const groups = image.group.split('\n').map((line) => line.split(':'));
  const notes: string[] = [];
  const added: LoginUser[] = [];
  const present: LoginUser[] = [];
  for (const user of users) {
    const named = taken.find(([name]) => name === user.name);
    const numbered = taken.find(([, , uid]) => Number(uid) === user.uid);
    if (named !== undefined && Number(named[2]) === user.uid) present.push(user);
    else if (named !== undefined || numbered !== undefined) {
      notes.push(
        `user ${user.name} (${user.uid}) is not carried over: the image has ${(named ?? numbered)?.slice(0, 3).join(':')}`,
      );
    } else added.push(user);
  }
  const newGroups = added.filter(
    ({ name, gid }) => !groups.some(([other, , id]) => other === name || Number(id) === gid),
  );
  const hashOf = ({ name, password }: LoginUser) =>
    password === 'usable' ? (hashes.get(name) ?? '*') : '*';
  const shellOf = ({ shell }: LoginUser) => (shells.has(shell) ? shell : '/bin/sh');
  const root = present.find(({ uid, password }) => uid === 0 && password === 'usable');
  const shadow =
    root === undefined
      ? image.shadow
      : image.shadow.replace(/^root:[^:\n]*:/m, () => `root:${hashOf(root)}:`);
  return {
    passwd: addLines(
      image.passwd,
      added.map((one) => [one.name, 'x', one.uid, one.gid, '', one.home, shellOf(one)].join(':')),
    ),
    group: addLines(
      image.group,
      newGroups.map(({ name, gid }) => `${name}:x:${gid}:`),
    ),
    shadow: addLines(
      shadow,
      added.map((one) => `${one.name}:${hashOf(one)}:::::::`),
    ),
    users: [...present, ...added],
    notes,
  };
}

function addLines(text: string, lines: readonly string[]): string {
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return whole + lines.map((line) => `${line}\n`).join('');
}
