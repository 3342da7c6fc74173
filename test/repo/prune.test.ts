import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { ChecksumSet } from '../../src/repo/checksum-set.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { lockForWriting } from '../../src/repo/lock.ts';
import { markPartial } from '../../src/repo/partial-commit.ts';
import { type PruneOptions, prune } from '../../src/repo/prune.ts';
import { deleteRef, writeRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';
import { ostree } from './support/ostree.ts';
import { quick } from './support/quick.ts';
import { smallTree } from './support/small-commit.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();
const origin = join(folder, 'origin');
/** Newest first; one is 10 seconds older than the next. */
const history: string[] = [];
let lonely = '';
let count = 0;

beforeAll(async () => {
  const repository = await Repository.init(origin, quick);
  const make = async (ref: string, text: string, timestamp: number) =>
    (await commitTree(repository, smallTree(text), { ref, timestamp, image: true })).commit;
  for (let age = 4; age >= 0; age -= 1)
    history.unshift(await make('main', `${age}`, 100 - age * 10));
  lonely = await make('lonely', 'lonely', 75);
  await deleteRef(repository, 'lonely');
});

async function copy(): Promise<Repository> {
  const path = join(folder, `copy-${count++}`);
  cpSync(origin, path, { recursive: true });
  return Repository.open(path, quick);
}

async function objects(repository: Repository): Promise<string[]> {
  const found: string[] = [];
  for await (const { checksum, kind } of repository.listObjects())
    found.push(`${checksum}.${kind}`);
  return found.sort();
}

async function commits(repository: Repository): Promise<string[]> {
  return (await objects(repository)).filter((name) => name.endsWith('.commit'));
}

const named = (list: readonly string[]) => list.map((name) => `${name}.commit`).sort();
const everything: PruneOptions = { refsOnly: false, depth: -1 };

test('without options every commit stays, and what no commit needs goes', async () => {
  const repository = await copy();
  const before = await objects(repository);
  const content = Buffer.from('left over');
  const checksum = createHash('sha256').update(content).digest('hex');
  for (const kind of ['filez', 'dirtree', 'dirmeta', 'plan', 'commitmeta'] as const) {
    mkdirSync(dirname(repository.objectFile(checksum, kind)), { recursive: true });
    writeFileSync(repository.objectFile(checksum, kind), content);
  }
  const dry = await prune(repository, { ...everything, dryRun: true });
  expect(dry).toMatchObject({ removed: 3, commits: [], bytes: 5 * content.length });
  expect(await objects(repository)).toHaveLength(before.length + 5);
  expect(await prune(repository, everything)).toEqual(dry);
  expect(await objects(repository)).toEqual(before);
});

describe('commits that go', () => {
  test.each([
    ['refs only', { refsOnly: true, depth: -1 }, () => history],
    ['depth 0', { refsOnly: true, depth: 0 }, () => history.slice(0, 1)],
    ['depth 2', { refsOnly: true, depth: 2 }, () => history.slice(0, 3)],
    [
      'since 75',
      { refsOnly: true, depth: 0, keepSince: 75 },
      () => [...history.slice(0, 3), lonely],
    ],
    ['since ever', { refsOnly: true, depth: 0, keepSince: 999 }, () => history.slice(0, 1)],
  ] as const)('%s', async (_, options, expected) => {
    const repository = await copy();
    const result = await prune(repository, options);
    expect(await commits(repository)).toEqual(named(expected()));
    expect(result.commits.length).toBe(6 - expected().length);
    // What is left is whole, has its plans, and nothing else is left of what went.
    expect((await checkRepository(repository)).problems).toEqual([]);
    const left = await objects(repository);
    const plans = left.filter((name) => name.endsWith('.plan'));
    expect(plans).toEqual(
      expected()
        .map((name) => `${name}.plan`)
        .sort(),
    );
    expect(await prune(repository, { ...options, depth: -1, refsOnly: false })).toMatchObject({
      removed: 0,
      bytes: 0,
    });
  });
});

test.skipIf(missing('ostree') !== undefined)(
  'what goes is what `ostree prune` removes',
  async () => {
    for (const depth of [-1, 0, 1]) {
      const [ours, theirs] = [await copy(), await copy()];
      await prune(ours, { refsOnly: true, depth });
      ostree(theirs.path, 'prune', '--refs-only', `--depth=${depth}`);
      const withoutPlans = async (repository: Repository) =>
        (await objects(repository)).filter((name) => !name.endsWith('.plan'));
      expect(await withoutPlans(ours)).toEqual(await withoutPlans(theirs));
      ostree(ours.path, 'fsck');
    }
  },
);

test('what a delta lies between stays, of pine and of ostree', async () => {
  const repository = await copy();
  const [, from = '', to = '', , stock = ''] = history;
  const delta = join(repository.path, 'pine/deltas', to, `${from}.delta`);
  mkdirSync(dirname(delta), { recursive: true });
  writeFileSync(delta, '');
  const name = Buffer.from(stock, 'hex').toString('base64').replace('=', '').replaceAll('/', '_');
  const superblock = join(repository.path, 'deltas', name.slice(0, 2), name.slice(2));
  mkdirSync(superblock, { recursive: true });
  await prune(repository, { refsOnly: true, depth: 0 });
  expect(await commits(repository)).toEqual(named([history[0] ?? '', from, to, stock]));
  expect(existsSync(delta)).toBe(true);
  expect((await checkRepository(repository)).problems).toEqual([]);
});

test('a commit that is there in part keeps what it has; a damaged one stops everything', async () => {
  const repository = await copy();
  const { rootTree } = await repository.readCommit(history[0] ?? '');
  const { unlinkSync } = await import('node:fs');
  unlinkSync(repository.objectFile(rootTree, 'dirtree'));
  const before = await objects(repository);
  await codeOfAsync(() => prune(repository, { refsOnly: true, depth: 0 }), 'NOT_FOUND_OBJECT');
  expect(await objects(repository)).toEqual(before);
  await markPartial(repository, history[0] ?? '');
  await prune(repository, { refsOnly: true, depth: 0 });
  expect(await commits(repository)).toEqual(named([history[0] ?? '']));
});

test('nobody else may write meanwhile', async () => {
  const repository = await copy();
  appendFileSync(join(repository.path, 'config'), 'lock-timeout-secs=0\n');
  const lock = await lockForWriting(repository);
  const impatient = await Repository.open(repository.path, quick);
  await codeOfAsync(() => prune(impatient, everything), 'STATE_LOCKED');
  // Who only looks may, and leaves what is there.
  writeFileSync(join(repository.path, 'tmp/pine-left-over'), '');
  const looked = await prune(impatient, { ...everything, dryRun: true });
  expect(existsSync(join(repository.path, 'tmp/pine-left-over'))).toBe(true);
  await lock.release();
  expect((await prune(repository, everything)).removed).toBe(looked.removed);
  expect(existsSync(join(repository.path, 'tmp/pine-left-over'))).toBe(false);
});

test('a ref that leads nowhere keeps nothing, and does not stop it', async () => {
  const repository = await copy();
  await writeRef(repository, 'nowhere', '0'.repeat(64));
  await prune(repository, { refsOnly: true, depth: 0 });
  expect(await commits(repository)).toEqual(named([history[0] ?? '']));
});

describe('a set of checksums', () => {
  test('holds what a Set holds', () => {
    const [ours, theirs] = [new ChecksumSet(), new Set<string>()];
    for (let number = 0; number < 20_000; number += 1) {
      const checksum = createHash('sha256')
        .update(`${number % 15_000}`)
        .digest('hex');
      expect(ours.add(checksum)).toBe(!theirs.has(checksum));
      theirs.add(checksum);
    }
    expect(ours.size).toBe(theirs.size);
    expect([...ours].sort()).toEqual([...theirs].sort());
    for (const checksum of theirs) expect(ours.has(checksum)).toBe(true);
    expect(ours.has('f'.repeat(64))).toBe(false);
  });

  test('S9: of 200,000 takes less than 30 MB', () => {
    const script = `
      import { createHash } from 'node:crypto';
      import { ChecksumSet } from ${JSON.stringify(new URL('../../src/repo/checksum-set.ts', import.meta.url).href)};
      const set = new ChecksumSet();
      for (let n = 0; n < 200_000; n += 1) set.add(createHash('sha256').update(String(n)).digest('hex'));
      // What the garbage collector frees of buffers shows one round later.
      for (let round = 0; round < 3; round += 1) globalThis.gc();
      console.log(set.size, process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed);`;
    const args = ['--expose-gc', '--input-type=module', '-e', script];
    const [size, used] = execFileSync(process.execPath, args, { encoding: 'utf8' }).split(' ');
    expect(Number(size)).toBe(200_000);
    expect(Number(used)).toBeLessThan(30e6);
  });
});
