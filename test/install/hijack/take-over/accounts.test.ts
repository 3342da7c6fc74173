import { expect, test } from 'vitest';
import type { LoginUser } from '../../../../src/install/hijack/login.ts';
import { carryAccounts } from '../../../../src/install/hijack/take-over/accounts.ts';

const image = {
  passwd: 'root:x:0:0:root:/root:/bin/ash\nweb:x:1002:1002::/srv:/sbin/nologin\n',
  group: 'root:x:0:root\nusers:x:1001:',
  shadow: 'root:*::0:::::\nweb:!::0:::::\n',
};
const user = (name: string, uid: number, rest: Partial<LoginUser> = {}): LoginUser => ({
  ...{ name, uid, gid: uid, home: uid === 0 ? '/root' : `/home/${name}`, shell: '/bin/bash' },
  ...{ keyFiles: [], password: 'lost' },
  ...rest,
});
const root = user('root', 0);

test('users are added as they were, with keys only where their password is lost', () => {
  const hashes = new Map([
    ['ann', '$6$salt$hash'],
    ['bob', '$y$j9T$salt$hash'],
  ]);
  const ann = user('ann', 1000, { password: 'usable' });
  const bob = user('bob', 1001);
  const carried = carryAccounts(image, [root, ann, bob], hashes, new Set(['/bin/bash']));
  expect(carried.passwd).toBe(
    `${image.passwd}ann:x:1000:1000::/home/ann:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/bash\n`,
  );
  // bob's group number is one of the image's, under another name
  expect(carried.group).toBe(`${image.group}\nann:x:1000:\n`);
  expect(carried.shadow).toBe(`${image.shadow}ann:$6$salt$hash:::::::\nbob:*:::::::\n`);
  expect(carried.users.map(({ name }) => name)).toEqual(['root', 'ann', 'bob']);
  expect(carried.notes).toEqual([]);
});

test("root keeps the image's account, and gets a password that still works, `$` and all", () => {
  const hash = "$6$a$&$'$`x";
  const known = user('root', 0, { password: 'usable' });
  const carried = carryAccounts(image, [known], new Map([['root', hash]]), new Set());
  expect(carried.shadow).toBe(`root:${hash}::0:::::\nweb:!::0:::::\n`);
  expect(carryAccounts(image, [root], new Map(), new Set()).shadow).toBe(image.shadow);
});

test('an account that the image has otherwise is left out and told; a shell that it lacks is replaced', () => {
  const clash = user('carl', 1002);
  const other = user('web', 1000);
  const dora = user('dora', 1003, { shell: '/usr/bin/zsh' });
  const carried = carryAccounts(image, [clash, other, dora], new Map(), new Set(['/bin/bash']));
  expect(carried.passwd).toBe(`${image.passwd}dora:x:1003:1003::/home/dora:/bin/sh\n`);
  expect(carried.notes).toEqual([
    'user carl (1002) is not carried over: the image has web:x:1002',
    'user web (1000) is not carried over: the image has web:x:1002',
  ]);
});
