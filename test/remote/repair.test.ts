import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { makePlanAgain, remakePlan } from '../../src/build/remake-plan.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { pull } from '../../src/remote/pull/pull.ts';
import { repairRepository } from '../../src/remote/repair.ts';
import { findInCommit } from '../../src/repo/find-in-commit.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { markPartial } from '../../src/repo/partial-commit.ts';
import { prune } from '../../src/repo/prune.ts';
import { readRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { ostree } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { smallRepository, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';

const folder = temporaryFolder();
const whole = join(folder, 'whole');
let count = 0;

beforeAll(async () => {
  const { repository } = await smallRepository(whole);
  const options = { ref: 'test/small', timestamp: timestamp + 1, image: true };
  await commitTree(repository, smallTree('second'), options);
});

async function copy(): Promise<Repository> {
  const path = join(folder, `copy-${count++}`);
  cpSync(whole, path, { recursive: true });
  return Repository.open(path, quick);
}

async function files(repository: Repository): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { checksum, kind } of repository.listObjects()) {
    const bytes = readFileSync(repository.objectFile(checksum, kind));
    found.set(`${checksum}.${kind}`, bytes.toString('base64'));
  }
  return found;
}

test.each(['missing', 'altered'])(
  'every object %s: all are put back, bytes and all',
  async (damage) => {
    const repository = await copy();
    const before = await files(repository);
    for await (const { checksum, kind } of repository.listObjects()) {
      const path = repository.objectFile(checksum, kind);
      const bytes = readFileSync(path);
      const middle = Math.floor(bytes.length / 2);
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      if (damage === 'missing') rmSync(path);
      else writeFileSync(path, bytes);
    }
    // What nothing names is not known to be missing: only what the ref leads to.
    const source = new FolderSource(whole);
    const { report, repaired } = await repairRepository(repository, { source, remakePlan });
    expect(report.problems).toEqual([]);
    expect(repaired.length).toBeGreaterThan(8);
    const after = await files(repository);
    for (const [name, bytes] of after) expect(bytes).toBe(before.get(name));
    if (damage === 'altered') expect(after.size).toBe(before.size);
  },
);

test('without a remote only plans come back', async () => {
  const repository = await copy();
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind === 'plan') rmSync(repository.objectFile(checksum, kind));
  }
  const { report, repaired } = await repairRepository(repository, {
    source: undefined,
    remakePlan,
  });
  expect(report.problems).toEqual([]);
  expect(repaired).toHaveLength(2);
});

test('what the remote has not got, or has damaged too, stays a problem and does not loop', async () => {
  const [repository, remote] = [await copy(), await copy()];
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind !== 'filez' && kind !== 'dirmeta') continue;
    rmSync(repository.objectFile(checksum, kind));
    if (kind === 'filez') writeFileSync(remote.objectFile(checksum, kind), 'damaged');
    else rmSync(remote.objectFile(checksum, kind));
  }
  const before = await files(repository);
  const source = new FolderSource(remote.path);
  const { report, repaired } = await repairRepository(repository, { source, remakePlan });
  expect(repaired).toEqual([]);
  expect(report.problems.length).toBeGreaterThan(3);
  expect(await files(repository)).toEqual(before);
});

test('a remote that is none is an error', async () => {
  const repository = await copy();
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind === 'filez') rmSync(repository.objectFile(checksum, kind));
  }
  const source = new FolderSource(folder);
  await codeOfAsync(
    () => repairRepository(repository, { source, remakePlan }),
    'NOT_FOUND_REMOTE_REPOSITORY',
  );
});

describe.skipIf(missing('ostree') !== undefined)('what nothing can put back is dropped', () => {
  const state = (repository: Repository) => {
    const folder = join(repository.path, 'state');
    return readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'latin1')]);
  };
  const objects = async (repository: Repository) =>
    [...(await files(repository)).keys()].filter((name) => !name.endsWith('.plan')).sort();
  const repair = (repository: Repository) =>
    repairRepository(repository, { source: undefined, remakePlan });

  /** Alters one byte of the object of a file. */
  async function damage(repository: Repository, path: string): Promise<string> {
    const found = await findInCommit(repository, await tip(repository), path);
    const checksum = found?.kind === 'file' ? found.checksum : '';
    flip(repository.objectFile(checksum, 'filez'));
    return checksum;
  }

  const tip = async (repository: Repository) => (await readRef(repository, 'test/small')) ?? '';
  const flip = (file: string) => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
  };

  test.each([
    ['of both commits', '/usr/bin/tool', 2],
    ['of one', '/etc/motd', 1],
  ])(
    'a file %s: gone and marked as by `ostree fsck --delete`; a pull brings it again',
    async (_, path, commits) => {
      const [ours, theirs] = [await copy(), await copy()];
      const checksum = await damage(ours, path);
      await damage(theirs, path);
      const { dropped, marked } = await repair(ours);
      expect(dropped).toEqual([`${checksum}.filez`]);
      expect(marked).toHaveLength(commits);
      expect(() => ostree(theirs.path, 'fsck', '--delete')).toThrow();
      expect(state(ours)).toEqual(state(theirs));
      expect(await objects(ours)).toEqual(await objects(theirs));
      // Each tells what the other marked, and is put right by the other.
      expect(() => ostree(ours.path, 'fsck')).toThrow(
        'partial commits from fsck-detected corruption',
      );
      expect((await checkRepository(theirs)).marked).toBe(commits);
      ostree(ours.path, 'pull-local', whole, 'test/small', '--depth=-1');
      await pull(theirs, new FolderSource(whole), {
        names: [],
        remoteName: undefined,
        depth: -1,
        makePlan: makePlanAgain,
      });
      for (const repository of [ours, theirs]) {
        expect(await checkRepository(repository)).toMatchObject({ problems: [], marked: 0 });
        ostree(repository.path, 'fsck');
      }
    },
  );

  test('a dirtree too; the tree is committed again, and the next repair takes the mark away', async () => {
    const repository = await copy();
    const { rootTree } = await repository.readCommit(await tip(repository));
    flip(repository.objectFile(rootTree, 'dirtree'));
    const { dropped, marked } = await repair(repository);
    expect([dropped, marked]).toEqual([[`${rootTree}.dirtree`], [await tip(repository)]]);
    const { problems } = await checkRepository(repository);
    expect(problems).toMatchObject([{ kind: 'dirtree', name: rootTree }]);
    expect((await repair(repository)).dropped).toEqual([]);
    const options = { ref: 'again', timestamp, image: false };
    await commitTree(repository, smallTree('second'), options);
    expect(await checkRepository(repository)).toMatchObject({ problems: [], marked: 1 });
    expect(await repair(repository)).toMatchObject({ dropped: [], marked: [] });
    expect(state(repository)).toEqual([]);
    ostree(repository.path, 'fsck');
  });

  test('a commit stays, however damaged, so that a prune takes nothing; a pull replaces it', async () => {
    const repository = await copy();
    const before = (await objects(repository)).length;
    flip(repository.objectFile(await tip(repository), 'commit'));
    expect(await repair(repository)).toMatchObject({ dropped: [], marked: [] });
    await codeOfAsync(() => prune(repository, { refsOnly: false, depth: -1 }), 'CORRUPT_OBJECT');
    const options = { names: ['test/small'], remoteName: undefined, depth: 0 };
    await pull(repository, new FolderSource(whole), { ...options, makePlan: makePlanAgain });
    expect((await checkRepository(repository)).problems).toEqual([]);
    expect((await objects(repository)).length).toBe(before);
  });

  test('what a pull has not brought yet is no damage, and keeps its own mark', async () => {
    const repository = await copy();
    await damage(repository, '/usr/bin/tool');
    const commit = await tip(repository);
    await markPartial(repository, commit);
    const { marked } = await repair(repository);
    expect(marked).not.toContain(commit);
    expect(state(repository)).toContainEqual([`${commit}.commitpartial`, '']);
  });
});

test('a plan that a stock tool left behind comes with the next pull', async () => {
  const repository = await copy();
  const commit = (await readRef(repository, 'test/small')) ?? '';
  const plan = repository.objectFile(commit, 'plan');
  const before = readFileSync(plan);
  rmSync(plan);
  const options = { names: ['test/small'], remoteName: undefined, depth: 0 };
  await pull(repository, new FolderSource(whole), { ...options, makePlan: makePlanAgain });
  expect(existsSync(plan) && readFileSync(plan).equals(before)).toBe(true);
});
