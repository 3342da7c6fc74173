import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { Repository } from '../../src/repo/repository.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { smallFolder, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';

const folder = temporaryFolder();

describe.skipIf(missing('ostree', 'xattr') !== undefined)('refs that a commit is made for', () => {
  // Not in order, one twice: ostree sorts by bytes and keeps both.
  for (const bindRefs of [['z/stable'], ['web/test', 'A', 'web-test', 'a', 'A']]) {
    test(`${bindRefs.join(', ')}: the checksum is that of \`ostree commit --bind-ref\``, async () => {
      const name = bindRefs.length.toString();
      const source = smallFolder(join(folder, `tree-${name}`));
      const stock = stockRepository(folder, `stock-${name}`);
      const repository = await Repository.init(join(folder, `ours-${name}`), quick);
      const { tree } = await scanFolder(source);
      const options = { ref: 'web/next', bindRefs, timestamp, image: false };
      const { commit } = await commitTree(repository, tree, options);
      const binds = bindRefs.map((ref) => `--bind-ref=${ref}`);
      const time = `--timestamp=@${timestamp}`;
      ostree(stock, 'commit', '--fsync=false', '-b', 'web/next', ...binds, time, source);
      expect(commit).toBe(ostree(stock, 'rev-parse', 'web/next').trim());
    });
  }

  test('a name that can not be a ref is refused before anything is written', async () => {
    const repository = await Repository.init(join(folder, 'refused'), quick);
    const options = { ref: 'x', bindRefs: ['../y'], timestamp, image: false };
    await codeOfAsync(() => commitTree(repository, smallTree(), options), 'INPUT_REF_NAME');
  });
});
