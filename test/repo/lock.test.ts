import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { readHistory } from '../../src/repo/history.ts';
import { lockForWriting } from '../../src/repo/lock.ts';
import { takeOstreeLock } from '../../src/repo/ostree-lock.ts';
import { prune } from '../../src/repo/prune.ts';
import { readRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';
import { quick } from './support/quick.ts';
import { smallFolder, smallTree, timestamp } from './support/small-commit.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();
const options = { ref: 'test/small', timestamp, image: true };

/** A repository of which nobody waits for a lock for longer than so many seconds. */
async function impatient(name: string, seconds = 0): Promise<Repository> {
  const { path } = await Repository.init(join(folder, name), quick);
  appendFileSync(join(path, 'config'), `lock-timeout-secs=${seconds}\n`);
  return Repository.open(path, quick);
}

describe('one writer at a time', () => {
  test('a second one is refused, and can go on when the first is done', async () => {
    const repository = await impatient('locked');
    const lock = await lockForWriting(repository);
    await codeOfAsync(() => commitTree(repository, smallTree(), options), 'STATE_LOCKED');
    await lock.release();
    await commitTree(repository, smallTree(), options);
  });

  test('one that waits tells for whom and how long at most, once, and goes on when it may', async () => {
    const repository = await impatient('waiting', 60);
    const lock = await lockForWriting(repository);
    const told: string[] = [];
    repository.onWait = (holder, seconds) => {
      told.push(`${holder}: ${seconds}`);
      setTimeout(() => lock.release(), 300);
    };
    await (await lockForWriting(repository)).release();
    expect(told).toEqual([expect.stringMatching(/^process \d+ on .+: 59$/)]);
  });

  test('of many that start at once, never two hold it', async () => {
    const repository = await impatient('race');
    let holders = 0;
    let most = 0;
    let served = 0;
    const contend = async () => {
      const lock = await lockForWriting(repository).catch(() => undefined);
      if (lock === undefined) return;
      holders += 1;
      served += 1;
      most = Math.max(most, holders);
      await pause(2);
      holders -= 1;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 20 }, contend));
    expect(most).toBeLessThanOrEqual(1);
    await contend();
    expect(served).toBeGreaterThan(0);
  });

  test('one whose process is gone, or was before a reboot, is removed; one from elsewhere is not', async () => {
    const repository = await impatient('left-over');
    const state = join(repository.path, 'state');
    const lock = await lockForWriting(repository);
    const [mine = ''] = readdirSync(state);
    await lock.release();
    const parts = mine.split('~');
    const alter = (index: number, value: string) =>
      parts.map((part, at) => (at === index ? value : part)).join('~');
    for (const gone of [alter(4, '1'), alter(3, '999999999'), alter(1, '00000000')]) {
      writeFileSync(join(state, gone), '');
      await (await lockForWriting(repository)).release();
      expect(readdirSync(state)).toEqual([]);
    }
    for (const elsewhere of [alter(0, 'pine-otherhost'), alter(2, '1')]) {
      writeFileSync(join(state, elsewhere), '');
      await codeOfAsync(() => lockForWriting(repository), 'STATE_LOCKED');
      rmSync(join(state, elsewhere));
    }
  });
});

const run = promisify(execFile);
const pinectl = new URL('../../src/cli/main.ts', import.meta.url).pathname;

describe.skipIf(missing('ostree', 'xattr') !== undefined)('with the stock ostree', () => {
  const tree = smallFolder(join(folder, 'tree'));
  const ostree = ({ path }: Repository, ...args: string[]) =>
    run('ostree', [`--repo=${path}`, ...args]);
  const commits = (repository: Repository, ref: string) =>
    ostree(repository, 'commit', '--fsync=false', '-b', ref, tree);

  test('while we hold the lock shared it commits, and does not prune; exclusively, neither', async () => {
    const repository = await impatient('ours');
    await commits(repository, 'stock');
    const shared = await lockForWriting(repository);
    await commits(repository, 'stock');
    await expect(ostree(repository, 'prune')).rejects.toThrow('Locking repo exclusive failed');
    await shared.release();
    await ostree(repository, 'prune');
    const alone = await lockForWriting(repository, 'exclusive');
    await expect(commits(repository, 'stock')).rejects.toThrow('Locking repo shared failed');
    await alone.release();
    await commits(repository, 'stock');
  });

  test('while it commits we commit, and do not prune; that it was killed sets the lock free', async () => {
    const repository = await impatient('theirs');
    const { path } = repository;
    // It holds the lock from its start on, and waits for a tar.
    const args = [`--repo=${path}`, 'commit', '-b', 'stock', '--tree=tar=-'];
    const stock = spawn('ostree', args, { stdio: ['pipe', 'ignore', 'ignore'] });
    await until(async () => {
      const lock = await takeOstreeLock(path, 'exclusive');
      if (typeof lock !== 'string') await lock.close();
      return lock === 'held';
    });
    await commitTree(repository, smallTree(), options);
    const everything = { refsOnly: false, depth: -1 };
    const error = await codeOfAsync(() => prune(repository, everything), 'STATE_LOCKED');
    expect(error.details.where).toBe(join(path, '.lock'));
    // Nothing of ours is left in the way of the next.
    expect(readdirSync(join(path, 'state'))).toEqual([]);
    await kill(stock);
    await prune(repository, everything);
  });

  test('`locking=false` in the config turns it off, as for ostree', async () => {
    const repository = await impatient('off');
    const lock = await takeOstreeLock(repository.path, 'exclusive');
    await codeOfAsync(() => lockForWriting(repository), 'STATE_LOCKED');
    appendFileSync(join(repository.path, 'config'), 'locking=false\n');
    await (await lockForWriting(await Repository.open(repository.path))).release();
    if (typeof lock !== 'string') await lock.close();
  });

  test('perl or python3 takes it; without both, pinectl only keeps out of its own way', async () => {
    const repository = await impatient('programs');
    const { PATH } = process.env;
    const bin = join(folder, 'bin');
    const { stdout } = await run('sh', ['-c', 'command -v python3']);
    await run('sh', [
      '-c',
      `mkdir ${bin} && printf '#!/bin/sh\\nPATH=/usr/bin:/bin:$HOME exec ${stdout.trim()} "$@"' >${bin}/python3 && chmod +x ${bin}/python3`,
    ]);
    try {
      process.env.PATH = bin;
      const lock = await takeOstreeLock(repository.path, 'shared');
      expect(lock).toBeTypeOf('object');
      expect(await takeOstreeLock(repository.path, 'exclusive')).toBe('held');
      process.env.PATH = join(folder, 'nothing');
      expect(await takeOstreeLock(repository.path, 'shared')).toBe('unavailable');
      await (await lockForWriting(repository)).release();
      if (typeof lock !== 'string') await lock.close();
    } finally {
      process.env.PATH = PATH;
    }
  });

  test('writers of both kinds at once, and both prunes: each ends well, and everything is whole', async () => {
    const { path } = await impatient('crowd', 60);
    const work = Array.from({ length: 4 }, (_, number) => number).flatMap((number) => {
      const own = smallFolder(join(folder, `crowd-${number}`));
      writeFileSync(join(own, 'own'), `${number}`);
      const commit = ['commit', '--repo', path, '--ref', `ours/${number}`, own];
      return [
        run(process.execPath, [pinectl, ...commit]),
        run('ostree', [`--repo=${path}`, 'commit', '-b', `theirs/${number}`, own]),
        ...(number % 2 === 0
          ? [
              run(process.execPath, [pinectl, 'prune', '--refs-only', '--repo', path]),
              run('ostree', [`--repo=${path}`, 'prune', '--refs-only']),
            ]
          : []),
      ];
    });
    await Promise.all(work);
    const repository = await Repository.open(path);
    expect(await checkRepository(repository)).toMatchObject({ commits: 8, problems: [] });
    expect(readdirSync(join(path, 'state'))).toEqual([]);
    expect(readdirSync(join(path, 'tmp')).filter((name) => name.startsWith('pine-'))).toEqual([]);
    await run('ostree', [`--repo=${path}`, 'fsck']);
  }, 120_000);
});

test('commits to one ref at once follow each other: none is lost', async () => {
  const { path } = await impatient('one-ref', 60);
  const made = await Promise.all(
    Array.from({ length: 5 }, async (_, number) => {
      const own = smallFolder(join(folder, `one-ref-${number}`));
      writeFileSync(join(own, 'own'), `${number}`);
      const words = ['commit', '--repo', path, '--ref', 'x', '--no-image', own];
      return (await run(process.execPath, [pinectl, ...words])).stdout.trim();
    }),
  );
  const repository = await Repository.open(path);
  const { entries } = await readHistory(repository, (await readRef(repository, 'x')) ?? '');
  const history = entries.map(({ checksum }) => checksum);
  expect(history.toSorted()).toEqual(made.toSorted());
}, 120_000);

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await condition()); attempt += 1) {
    if (attempt > 200) throw new Error('it did not come to pass');
    await pause(25);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}
