import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ostree } from '../repo/support/ostree.ts';
import { smallFolder } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { Pinectl } from './support/pinectl.ts';

const folder = temporaryFolder();
const repo = join(folder, 'repo');
const pinectl = new Pinectl(repo, folder);
const tree = join(folder, 'tree');

describe.skipIf(missing('ostree', 'xattr') !== undefined)('commit', () => {
  test('--filter leaves out what its rules drop, and says which met nothing', () => {
    pinectl.run('init');
    smallFolder(tree);
    writeFileSync(join(folder, 'rules'), 'drop link\nmode 0400 /etc/motd\ndrop /usr/share/man\n');
    const notes = pinectl.notes('commit', '--ref', 'x', '--filter', 'rules', tree);
    expect(notes).toContain('names left out by the filter: 1\n');
    expect(notes).toContain('line 3 of the filter met nothing: drop /usr/share/man\n');
    expect(ostree(repo, 'ls', 'x', '/etc')).toMatch(/^d00755 .* \/etc\n-00400 .* \/etc\/motd\n$/);
    expect(pinectl.fail('commit', '--ref', 'x', '--filter', 'none', tree)).toBe('NOT_FOUND_FILE');
    writeFileSync(join(folder, 'wrong'), 'delete /x');
    expect(pinectl.fail('commit', '--ref', 'x', '--filter', 'wrong', tree)).toBe('INPUT_FILTER');
  });

  test('--skip-if-unchanged makes a commit only when there is something new', () => {
    const commit = (...options: string[]) =>
      pinectl.json('commit', '--ref', 'y', '--skip-if-unchanged', ...options, tree);
    const first = commit();
    expect(first.unchanged).toBe(false);
    const again = commit('-s', 'Another subject');
    expect(again).toMatchObject({ commit: first.commit, unchanged: true, image: first.image });
    expect(ostree(repo, 'rev-parse', 'y').trim()).toBe(first.commit);
    // Other refs and another kind of commit are something new.
    const bound = commit('--bind-ref', 'z');
    expect(bound).toMatchObject({ unchanged: false, parent: first.commit });
    expect(commit('--bind-ref', 'z', '--no-image').unchanged).toBe(false);
    writeFileSync(join(tree, 'etc/motd'), 'new');
    expect(commit('--bind-ref', 'z', '--no-image').unchanged).toBe(false);
    const same = ['commit', '--ref', 'y', '--bind-ref', 'z', '--no-image'];
    expect(pinectl.json(...same, tree).unchanged).toBe(false);
  });
});
