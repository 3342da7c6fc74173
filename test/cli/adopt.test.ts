import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Repository } from '../../src/repo/repository.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { smallFolder } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { Pinectl } from './support/pinectl.ts';

const folder = temporaryFolder();

describe.skipIf(missing('ostree', 'xattr') !== undefined)('adopt', () => {
  test('a commit of ostree gets an image, a plan, a signature; its tree and words stay', async () => {
    const repo = stockRepository(folder, 'repo');
    const pinectl = new Pinectl(repo, folder);
    const tree = smallFolder(join(folder, 'tree'));
    const time = '--timestamp=@1700000000';
    const words = ['-s', 'From ostree', '-m', 'Body', '--add-metadata-string=version=7', time];
    const stock = ostree(repo, 'commit', '-b', 'web', ...words, tree).trim();
    pinectl.run('keys', 'generate', '-o', 'key');
    const result = pinectl.json(
      'adopt',
      'web',
      '--bind-ref',
      'web-stable',
      '--sign-key',
      'key.secret',
    );
    expect(result.parent).toBe(stock);
    expect(ostree(repo, 'rev-parse', 'web').trim()).toBe(result.commit);
    expect(pinectl.run('diff', stock, 'web')).toBe('');
    const shown = pinectl.json('show', 'web');
    expect(shown).toMatchObject({ subject: 'From ostree', body: 'Body', timestamp: 1_700_000_000 });
    expect(shown.metadata).toMatchObject({ version: '7', 'pine.adopted-from': stock });
    expect(shown.metadata['ostree.ref-binding']).toBe("['web', 'web-stable']");
    expect(shown.signatures).toHaveLength(1);
    // The plan is there and is what the commit promises.
    const { plan } = pinectl.json('plan', 'web');
    expect(plan.size).toBeGreaterThan(0);
    expect((await Repository.open(repo)).has(result.commit, 'plan')).toBe(true);
    ostree(repo, 'fsck');
    // The same adoption once more, on another ref, from the same commit.
    expect(pinectl.fail('adopt', stock)).toBe('USAGE_COMMAND_LINE');
    expect(pinectl.json('adopt', stock, '--ref', 'other').image).toEqual(result.image);
    expect(pinectl.fail('adopt', 'web')).toBe('STATE_HAS_IMAGE');
  });
});
