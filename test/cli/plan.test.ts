import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Repository } from '../../src/repo/repository.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { smallRepository } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { Pinectl } from './support/pinectl.ts';

const folder = temporaryFolder();

describe.skipIf(missing('ostree') !== undefined)(
  'a repository that the stock ostree mirrored',
  () => {
    test('lacks plans, which `plan`, `pull` and `fsck --repair` each make again, byte for byte', async () => {
      const { repository, commit } = await smallRepository(join(folder, 'origin'));
      const plan = readFileSync(repository.objectFile(commit, 'plan'));
      const path = stockRepository(folder, 'mirror');
      ostree(path, 'pull-local', repository.path, 'test/small');
      const mirror = await Repository.open(path);
      const file = mirror.objectFile(commit, 'plan');
      expect(existsSync(file)).toBe(false);
      // The remote that it is pulled from has no plan either.
      ostree(stockRepository(folder, 'other'), 'pull-local', repository.path, 'test/small');
      const pinectl = new Pinectl(path, folder);
      for (const words of [
        ['plan', 'test/small'],
        ['fsck', '--repair'],
        ['pull', '--mirror', join(folder, 'other'), 'test/small'],
      ]) {
        rmSync(file, { force: true });
        pinectl.run(...words);
        expect([words, readFileSync(file).equals(plan)]).toEqual([words, true]);
      }
      ostree(path, 'fsck');
    });

    test('of a commit without an image there is none: CORRUPT_PLAN', () => {
      const path = stockRepository(folder, 'plain');
      ostree(path, 'commit', '-b', 'x', join(folder, 'origin', 'refs'));
      expect(new Pinectl(path, folder).fail('plan', 'x')).toBe('CORRUPT_PLAN');
    });
  },
);
