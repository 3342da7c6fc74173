import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRevision } from '../../../src/etc/history/find-revision.ts';
import { changesOf } from '../../../src/etc/history/log.ts';
import { prune } from '../../../src/etc/history/prune.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';
import { git } from './support/git.ts';
import { History } from './support/history.ts';

/** A history of twelve revisions, each with a file of its own and a line more in another. */
async function twelve(): Promise<History> {
  const history = await History.make(temporaryFolder());
  mkdirSync(join(history.etc, 'empty'));
  for (let count = 1; count <= 12; count += 1) {
    writeFileSync(join(history.etc, 'changing'), `${count}\n`);
    if (count > 1) rmSync(join(history.etc, `only-${count - 1}`));
    writeFileSync(join(history.etc, `only-${count}`), `${count} ${count}\n`);
    if (count % 4 === 0) writeFileSync(join(history.etc, 'seldom'), `${count}\n`);
    await history.record(`number ${count}`);
  }
  await history.record('shipped', { branch: 'shipped', always: true });
  return history;
}

const subjects = (folder: string) =>
  git(folder, 'log', '--format=%s', 'machine').trim().split('\n');

describe.skipIf(missing('git') !== undefined)('pruning', () => {
  it('keeps the newest, under their names, and nothing that only older ones need', async () => {
    const { repository } = await twelve();
    const { folder } = repository;
    const before = git(folder, 'rev-parse', 'machine~4');
    expect(await prune(repository, { keep: 5, verify: true })).toMatchObject({ revisions: 7 });
    expect(subjects(folder)).toEqual([12, 11, 10, 9, 8].map((count) => `number ${count}`));
    expect(git(folder, 'rev-parse', 'machine~4')).toBe(before);
    expect(git(folder, 'fsck', '--full', '--strict', '--unreachable')).toBe('');
    expect(git(folder, 'show', 'machine~4:only-8')).toBe('8 8\n');
    // What git calls garbage is none of it gone already.
    expect(await prune(repository, { keep: 5, verify: false })).toEqual({
      revisions: 0,
      objects: 0,
    });
  });

  it('goes on from there, and keeps all when all may stay', async () => {
    const history = await twelve();
    const { repository } = history;
    await prune(repository, { keep: 5, verify: false });
    writeFileSync(join(history.etc, 'changing'), 'more\n');
    await history.record('more');
    expect(await prune(repository, { keep: 100, verify: false })).toEqual({
      revisions: 0,
      objects: 0,
    });
    expect(subjects(repository.folder)).toHaveLength(6);
    await prune(repository, { keep: 2, verify: false });
    expect(subjects(repository.folder)).toEqual(['more', 'number 12']);
    expect(git(repository.folder, 'fsck', '--full', '--strict', '--unreachable')).toBe('');
  });

  it('works on what `git gc` has packed', async () => {
    const { repository } = await twelve();
    execFileSync('git', ['--git-dir', repository.folder, 'gc', '--quiet', '--prune=now']);
    expect((await findRevision(repository, 'machine~11')).subject).toBe('number 1');
    await prune(repository, { keep: 5, verify: true });
    expect(subjects(repository.folder)).toHaveLength(5);
    expect(git(repository.folder, 'fsck', '--full', '--no-dangling')).toBe('');
  });

  it('removes nothing when something that is kept is damaged', async () => {
    const { repository } = await twelve();
    const blob = git(repository.folder, 'rev-parse', 'machine:changing').trim();
    rmSync(join(repository.folder, 'objects', blob.slice(0, 2), blob.slice(2)));
    await codeOfAsync(() => prune(repository, { keep: 5, verify: false }), 'CORRUPT_ETC_HISTORY');
    expect(subjects(repository.folder)).toHaveLength(12);
  });
});

describe('revisions', () => {
  it('are found by branch, by the first digits of their id, and so many before', async () => {
    const { repository } = await twelve();
    const third = await findRevision(repository, 'machine~2');
    expect(third.subject).toBe('number 10');
    expect(await findRevision(repository, third.id.slice(0, 8))).toEqual(third);
    expect((await findRevision(repository, `${third.id}~1`)).subject).toBe('number 9');
    for (const name of ['machine~12', 'upgrade', 'nobody', 'ffffffff', '../x', '', '~1', 'HEAD']) {
      await codeOfAsync(() => findRevision(repository, name), 'NOT_FOUND_ETC_REVISION');
    }
  });

  it('are listed by the path that they changed', async () => {
    const { repository } = await twelve();
    const list = async (path: string) => {
      const found: string[] = [];
      const { id } = await findRevision(repository, 'machine');
      for await (const { subject } of changesOf(repository, id, path)) found.push(subject);
      return found;
    };
    expect(await list('seldom')).toEqual(['number 12', 'number 8', 'number 4']);
    expect(await list('only-3')).toEqual(['number 4', 'number 3']);
    expect(await list('nothing')).toEqual([]);
    expect(await list('')).toHaveLength(12);
  });
});
