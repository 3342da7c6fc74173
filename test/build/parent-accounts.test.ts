import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { checkParentAccounts } from '../../src/build/parent-accounts.ts';
import { Repository } from '../../src/repo/repository.ts';
import { quick } from '../repo/support/quick.ts';
import { smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';

const folder = temporaryFolder();

function treeWith(sshd: number) {
  const tree = smallTree();
  const passwd = `root:x:0:0:root:/root:/bin/sh\nsshd:x:${sshd}:22:sshd:/dev/null:/sbin/nologin\n`;
  tree.putFile('/etc/passwd', Buffer.from(passwd), { mode: 0o644 });
  return tree;
}

test('an account with another number than in the parent commit is refused, unless it is allowed', async () => {
  const repository = await Repository.init(join(folder, 'repo'), quick);
  const options = { ref: 'x', timestamp, image: false };
  const { commit } = await commitTree(repository, treeWith(22), options);
  await checkParentAccounts(repository, commit, treeWith(22), false);
  await checkParentAccounts(repository, commit, treeWith(23), true);
  const run = () => checkParentAccounts(repository, commit, treeWith(23), false);
  const error = await codeOfAsync(run, 'INPUT_ID_CHANGED');
  expect(error.details.found).toContain('sshd = 23');
  // A parent without accounts says nothing about them.
  const bare = await commitTree(repository, smallTree(), { ...options, parent: 'none' });
  await checkParentAccounts(repository, bare.commit, treeWith(23), false);
});
