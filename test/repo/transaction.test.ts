import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { readRef } from '../../src/repo/refs.ts';
import { type Durability, Repository } from '../../src/repo/repository.ts';
import { missing } from '../support/requirements.ts';
import { quick } from './support/quick.ts';
import { smallFolder, smallRepository, smallTree, timestamp } from './support/small-commit.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();
const options = { ref: 'test/small', timestamp, image: true };

/** Names of the objects that are in their place. */
function published(path: string): string[] {
  return readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.'))
    .map((name) => name.replace('/', ''))
    .sort();
}

function staged(path: string): string[] {
  return readdirSync(join(path, 'tmp'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.'))
    .map((name) => name.slice(name.indexOf('/') + 1))
    .sort();
}

test('S6: contents are durable before names, names before the commit, all before the ref', async () => {
  const path = join(folder, 'order');
  const ref = join(path, 'refs/heads/test/small');
  const calls: { call: string; published: string[]; staged: string[]; ref: boolean }[] = [];
  const record = async (call: string, at: string) => {
    const name = at.slice(path.length + 1).replace(/pine-[-\w]+/, 'X');
    const state = { published: published(path), staged: staged(path), ref: existsSync(ref) };
    calls.push({ call: `${call} ${name}`, ...state });
  };
  const recording: Durability = {
    sync: (at) => record('sync', at),
    syncAll: (at) => record('syncAll', at),
  };
  await Repository.init(path, quick);
  const repository = await Repository.open(path, recording);
  const { commit } = await commitTree(repository, smallTree(), options);

  const [first, ...rest] = calls;
  const all = published(path);
  expect(first?.call).toBe('syncAll tmp/X');
  expect(first?.published).toEqual([]);
  expect(first?.staged).toEqual(all);
  // Until the names of all other objects are durable, the commit is not there.
  const synced = new Set<string>();
  for (const { call, ...state } of rest) {
    if (call === 'sync tmp/X') expect(state.ref).toBe(false);
    if (state.published.includes(`${commit}.commit`)) {
      for (const name of all.filter((each) => !each.startsWith(commit))) {
        expect(synced).toContain(`sync objects/${name.slice(0, 2)}`);
      }
    }
    // Until the commit's own name is durable, no ref names it.
    if (state.ref) {
      expect(synced).toContain(`sync objects/${commit.slice(0, 2)}`);
      expect(synced).toContain('sync objects');
      expect(synced).toContain('sync tmp/X');
    }
    synced.add(call);
  }
  expect(synced).toContain('sync refs/heads/test');
  expect(synced).toContain('sync refs/heads');
});

describe('S7: what is cut leaves the repository as it was', () => {
  test('at every point where something is made durable', async () => {
    let finished = false;
    for (let cut = 0; !finished; cut += 1) {
      const { repository, commit } = await smallRepository(join(folder, `cut-${cut}`));
      let calls = 0;
      const fail = async () => {
        if (calls === cut) throw new Error('cut');
        calls += 1;
      };
      const cutting = await Repository.open(repository.path, { sync: fail, syncAll: fail });
      const attempt = commitTree(cutting, smallTree('changed'), options);
      finished = await attempt.then(
        () => true,
        (error) => {
          expect(error.message).toBe('cut');
          return false;
        },
      );
      const target = await readRef(repository, 'test/small');
      expect((await checkRepository(repository)).problems).toEqual([]);
      const again = await commitTree(repository, smallTree('changed'), options);
      expect(await readRef(repository, 'test/small')).toBe(again.commit);
      // The ref was the old commit or the new one, which the last attempt follows.
      expect([commit, again.parent]).toContain(target);
      expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
      expect(readdirSync(join(repository.path, 'state'))).toEqual([]);
      if (finished) expect(cut).toBeGreaterThan(5);
    }
  });

  test.skipIf(missing('xattr') !== undefined)(
    'killed: only files in tmp/, and the next commit removes them',
    async () => {
      const path = join(folder, 'killed');
      const tree = smallFolder(join(folder, 'tree'));
      writeFileSync(join(tree, 'large'), Buffer.alloc(64 * 1024 * 1024, 'some text to deflate '));
      const repository = await Repository.init(path, quick);
      const pinectl = new URL('../../src/cli/main.ts', import.meta.url).pathname;
      const arguments_ = [pinectl, 'commit', '--repo', path, '--ref', 'x', '--tree', tree];
      const child = spawn(process.execPath, arguments_, { stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('close', resolve));
      while (child.exitCode === null && staged(path).length === 0) await pause(5);
      child.kill('SIGKILL');
      await ended;
      expect(published(path)).toEqual([]);
      expect(await readRef(repository, 'x')).toBeUndefined();
      expect(staged(path)).not.toEqual([]);
      expect(readdirSync(join(path, 'state'))).toHaveLength(1);
      await commitTree(repository, (await scanFolder(tree)).tree, { ...options, ref: 'x' });
      expect(readdirSync(join(path, 'tmp'))).toEqual([]);
      expect(readdirSync(join(path, 'state'))).toEqual([]);
      expect((await checkRepository(repository)).problems).toEqual([]);
    },
  );
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
