import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

describe.skipIf(missing('ostree', 'xattr') !== undefined)('names of commits', () => {
  const tree = join(folder, 'tree');
  const commits: string[] = [];
  const large = Buffer.alloc(700_001, 'content ');

  test('three commits, made for two refs', () => {
    pinectl.run('init');
    smallFolder(tree);
    symlinkSync('/usr/lib', join(tree, 'lib'));
    mkdirSync(join(tree, 'usr/lib'), { recursive: true });
    writeFileSync(join(tree, 'usr/lib/large'), large);
    symlinkSync('../../..//lib/large', join(tree, 'usr/lib/away'));
    symlinkSync('circle', join(tree, 'circle'));
    for (const subject of ['One', 'Two', 'Three']) {
      const refs = ['--ref', 'web/next', '--bind-ref', 'web/stable'];
      commits.push(pinectl.run('commit', ...refs, '-s', subject, tree).trim());
    }
  });

  test('rev-parse answers as ostree does', () => {
    const [first = '', second = '', third = ''] = commits;
    for (const name of ['web/next', 'web/next^', 'web/next^^', second, third.slice(0, 12)]) {
      expect(pinectl.run('rev-parse', name)).toBe(ostree(repo, 'rev-parse', name));
    }
    expect(pinectl.json('rev-parse', 'web/next^', `${third.slice(0, 8)}^^`)).toEqual({
      commits: [second, first],
    });
    expect(pinectl.fail('rev-parse', 'web/next^^^')).toBe('NOT_FOUND_COMMIT');
    expect(pinectl.fail('rev-parse', first.slice(0, 3))).toBe('NOT_FOUND_COMMIT');
  });

  test('promote moves a ref to the exact commit, forward only', () => {
    const [first = '', second = '', third = ''] = commits;
    expect(pinectl.json('promote', 'web/next^', 'web/stable')).toEqual({
      ref: 'web/stable',
      commit: second,
      before: null,
    });
    expect(pinectl.fail('promote', first, 'web/stable')).toBe('STATE_NOT_FAST_FORWARD');
    expect(ostree(repo, 'rev-parse', 'web/stable').trim()).toBe(second);
    expect(pinectl.json('promote', 'web/next', 'web/stable').before).toBe(second);
    expect(ostree(repo, 'rev-parse', 'web/stable').trim()).toBe(third);
    pinectl.run('promote', '--force', first, 'web/stable');
    expect(ostree(repo, 'rev-parse', 'web/stable').trim()).toBe(first);
    // A history that was pruned does not show that it is one.
    const lost = join(repo, 'objects', second.slice(0, 2), `${second.slice(2)}.commit`);
    expect(pinectl.fail('promote', first, 'web/next')).toBe('STATE_NOT_FAST_FORWARD');
    rmSync(lost);
    expect(pinectl.fail('promote', third, 'web/stable')).toBe('STATE_NOT_FAST_FORWARD');
  });

  test('promote refuses a ref that the commit was not made for', () => {
    expect(pinectl.fail('promote', 'web/next', 'db/stable')).toBe('INPUT_REF_NOT_BOUND');
    expect(pinectl.run('refs')).toBe('web/next\nweb/stable\n');
    pinectl.run('promote', '--allow-unbound', 'web/next', 'db/stable');
    expect(pinectl.run('refs')).toBe('db/stable\nweb/next\nweb/stable\n');
  });

  test('a tag stays where it is until it is deleted', () => {
    const [first = '', , third = ''] = commits;
    pinectl.run('tag', '2026-06', first);
    pinectl.run('tag', '2026-06', first);
    expect(pinectl.json('tag')).toEqual({ tags: { '2026-06': first } });
    expect(ostree(repo, 'rev-parse', 'tags/2026-06').trim()).toBe(first);
    expect(pinectl.fail('tag', '2026-06', third)).toBe('STATE_TAG_FIXED');
    expect(pinectl.fail('promote', third, 'tags/2026-06', '--force')).toBe('STATE_TAG_FIXED');
    const create = ['refs', '--force', '--create', 'tags/2026-06', third];
    expect(pinectl.fail(...create)).toBe('STATE_TAG_FIXED');
    expect(pinectl.fail('commit', '--ref', 'tags/2026-06', tree)).toBe('STATE_TAG_FIXED');
    expect(pinectl.fail('tag', '../x', third)).toBe('INPUT_REF_NAME');
    expect(pinectl.fail('tag', 'new')).toBe('USAGE_COMMAND_LINE');
    expect(ostree(repo, 'rev-parse', 'tags/2026-06').trim()).toBe(first);
    pinectl.run('refs', '--delete', 'tags/2026-06');
    expect(pinectl.run('tag')).toBe('');
  });

  test('cat prints files as ostree does, links followed inside the tree', () => {
    for (const path of ['/etc/motd', 'etc/link', '/usr/lib/large']) {
      const stock = ostree(repo, 'cat', 'web/next', path.replace(/^etc/, '/etc'));
      expect(pinectl.run('cat', 'web/next', path)).toBe(stock);
    }
    const twice = pinectl.bytes(['cat', 'web/next', '/lib/large', '/usr/lib/away']);
    expect(twice.equals(Buffer.concat([large, large]))).toBe(true);
    const found = pinectl.json('cat', 'web/next', '/usr/lib/away');
    expect(found).toMatchObject({ path: '/usr/lib/large', mode: '0100644', size: large.length });
    expect(Buffer.from(found.content, 'base64').equals(large)).toBe(true);
    for (const path of ['/none', '/etc', '/circle', '/etc/motd/x', '/']) {
      expect(pinectl.fail('cat', 'web/next', path)).toBe('NOT_FOUND_PATH');
    }
  });

  test('plan makes a lost plan again, byte for byte', () => {
    const third = commits[2] ?? '';
    const file = join(repo, 'objects', third.slice(0, 2), `${third.slice(2)}.plan`);
    const before = readFileSync(file);
    rmSync(file);
    const { plan } = pinectl.json('plan', 'web/next');
    expect(pinectl.run('plan', 'web/next')).toBe(`${plan.sha256}  ${file}\n`);
    expect(readFileSync(file).equals(before)).toBe(true);
    const bare = pinectl.run('commit', '--ref', 'bare', '--no-image', tree).trim();
    expect(pinectl.fail('plan', bare)).toBe('CORRUPT_PLAN');
  });

  test('commit takes several sources, also from standard input', () => {
    const other = smallFolder(join(folder, 'other'));
    writeFileSync(join(other, 'etc/motd'), 'from a tar');
    const tar = join(folder, 'other.tar');
    execFileSync('tar', ['-C', other, '-cf', tar, 'etc/motd']);
    const options = ['commit', '--ref', 'both', '--no-image', '--tree=ref=bare', '--tree=tar=-'];
    pinectl.bytes(options, tar);
    expect(pinectl.run('cat', 'both', '/etc/motd')).toBe('from a tar');
    expect(pinectl.json('cat', 'both', '/usr/lib/large').size).toBe(large.length);
    expect(pinectl.fail('commit', '--ref', 'both')).toBe('USAGE_COMMAND_LINE');
    expect(pinectl.fail('commit', '--ref', 'both', '--tree=tar=')).toBe('USAGE_COMMAND_LINE');
  });
});
