import { describe, expect, test } from 'vitest';
import { checkIds, findChangedIds } from '../../../src/build/bootable/account-ids.ts';
import { codeOf } from '../../support/code-of.ts';

const before = {
  passwd: 'root:x:0:0:root:/root:/bin/ash\nchrony:x:100:101:chrony:/var/log/chrony:/sbin/nologin\n',
  group: 'root:x:0:root\nchrony:x:101:chrony\nwheel:x:10:root\n',
};

describe('findChangedIds', () => {
  test('names whose number is another one are found, of users and of groups', () => {
    const after = {
      passwd: before.passwd.replace('chrony:x:100:101', 'chrony:x:101:101'),
      group: before.group.replace('wheel:x:10', 'wheel:x:11'),
    };
    expect(findChangedIds(before, after)).toEqual([
      { kind: 'user', name: 'chrony', before: '100:101', after: '101:101' },
      { kind: 'group', name: 'wheel', before: '10', after: '11' },
    ]);
    expect(findChangedIds(before, before)).toEqual([]);
  });

  test('new and removed accounts, other homes, comments and damaged lines are no change', () => {
    const after = {
      passwd: `# comment\nroot:x:0:0:root:/:/bin/sh\nnew:x:500:500::/:/bin/sh\nchrony:x:oops\n`,
      group: 'root:x:0:\n',
    };
    expect(findChangedIds(before, after)).toEqual([]);
  });

  test('of a name that is there twice the first line counts, as for the system', () => {
    const after = { ...before, passwd: `${before.passwd}root:x:1:1::/:/bin/sh\n` };
    expect(findChangedIds(before, after)).toEqual([]);
  });
});

test('checkIds lists them all in INPUT_ID_CHANGED, unless they are allowed', () => {
  const after = { ...before, passwd: before.passwd.replace('root:x:0:0', 'root:x:0:1') };
  const error = codeOf(() => checkIds(before, after, false), 'INPUT_ID_CHANGED');
  expect(error.details.expected).toBe('user root = 0:0');
  expect(error.details.found).toBe('user root = 0:1');
  expect(() => checkIds(before, after, true)).not.toThrow();
});
