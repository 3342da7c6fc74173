import { expect, test } from 'vitest';
import { dropAcls } from '../../src/build/acl.ts';
import { smallTree } from '../repo/support/small-commit.ts';
import { codeOf, codeOfAsync } from '../support/code-of.ts';

test('links are followed inside the root, as the booted system would', () => {
  const tree = smallTree();
  tree.putLink('/absolute', '/usr/bin/tool');
  tree.putLink('/usr/up', '../../../../etc/./motd');
  tree.putLink('/loop', 'loop');
  expect(tree.resolve('/bin/tool')?.path).toBe('/usr/bin/tool');
  expect(tree.resolve('/absolute')?.path).toBe('/usr/bin/tool');
  expect(tree.resolve('/usr/up')?.path).toBe('/etc/motd');
  expect(tree.resolve('/')?.node).toBe(tree.root);
  for (const nothing of ['/loop', '/etc/motd/x', '/nothing', '/bin/nothing']) {
    expect(tree.resolve(nothing)).toBeUndefined();
  }
  expect(tree.find('/bin/tool')).toBeUndefined();
});

test('what is added goes where a link to its folder leads', () => {
  const tree = smallTree();
  tree.putFile('/bin/new', Buffer.from('x'), { mode: 0o755, uid: 3 });
  expect(tree.find('/usr/bin/new')).toMatchObject({ mode: 0o100755, uid: 3, gid: 0 });
  tree.putFile('/a/b/c', Buffer.from('x'), { mode: 0o644 });
  expect(tree.find('/a/b')).toMatchObject({ kind: 'directory', mode: 0o040755 });
  const before = tree.find('/etc');
  expect(tree.putDirectory('/etc', { mode: 0o700 })).toBe(before);
  expect(tree.remove('/bin/new')).toBe(true);
  expect(tree.remove('/bin/new')).toBe(false);
  codeOf(() => tree.putFile('/etc/motd/x', Buffer.of(), { mode: 0o644 }), 'INPUT_TREE_CONFLICT');
  tree.putLink('/broken', 'nowhere');
  codeOf(() => tree.putFile('/broken/x', Buffer.of(), { mode: 0o644 }), 'INPUT_TREE_CONFLICT');
});

test('files are read whole, within a limit', async () => {
  const tree = smallTree();
  expect((await tree.readFile('/etc/motd', 5)).toString()).toBe('hello');
  await codeOfAsync(() => tree.readFile('/etc/motd', 4), 'INPUT_FILE_TOO_LARGE');
  await codeOfAsync(() => tree.readFile('/etc', 4), 'NOT_FOUND_TREE_FILE');
  await codeOfAsync(() => tree.readFile('/etc/nothing', 4), 'NOT_FOUND_TREE_FILE');
});

test('without its ACL a file lets nobody do more than before', () => {
  const tree = smallTree();
  // user::rwx user:1000:rwx group::rw- mask::r-x other::---
  const acl = Buffer.from(
    '0200000001000700ffffffff02000700e803000004000600ffffffff10000500ffffffff20000000ffffffff',
    'hex',
  );
  const motd = tree.find('/etc/motd');
  if (motd?.kind !== 'file') throw new Error('it is a file');
  const xattrs = [
    { name: 'system.posix_acl_access', value: acl },
    { name: 'user.kept', value: Buffer.of(1) },
  ];
  tree.put('/etc/motd', { ...motd, mode: 0o100750, xattrs });
  expect(dropAcls(tree)).toEqual(['/etc/motd']);
  expect(tree.find('/etc/motd')).toMatchObject({
    mode: 0o100740,
    xattrs: [{ name: 'user.kept' }],
  });
  expect(dropAcls(tree)).toEqual([]);
});
