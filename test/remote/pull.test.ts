import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { makePlanAgain } from '../../src/build/remake-plan.ts';
import type { SourceTree } from '../../src/build/source-tree.ts';
import { PineError } from '../../src/error.ts';
import type { ByteSource } from '../../src/ports/byte-source.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { type PullOptions, pull } from '../../src/remote/pull/pull.ts';
import { findInCommit } from '../../src/repo/find-in-commit.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { isPartial } from '../../src/repo/partial-commit.ts';
import { listRefs } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { quick } from '../repo/support/quick.ts';
import { smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';

const folder = temporaryFolder();
const origin = join(folder, 'origin');
const commits: string[] = [];
let count = 0;

/** Does not deflate: an object of more than two megabytes. */
const noise = Buffer.alloc(2_500_000);
for (let at = 0, state = 1; at < noise.length; at += 1) {
  state = (state * 1103515245 + 12345) % 2147483648;
  noise[at] = state >>> 16;
}

function tree(text: string): SourceTree {
  const made = smallTree(text);
  made.putFile('/noise', noise, { mode: 0o644 });
  return made;
}

beforeAll(async () => {
  const repository = await Repository.init(origin, quick);
  for (const text of ['one', 'two', 'three']) {
    const options = { ref: 'test/small', timestamp, image: true, subject: text };
    commits.unshift((await commitTree(repository, tree(text), options)).commit);
  }
});

async function fresh(): Promise<Repository> {
  return Repository.init(join(folder, `mirror-${count++}`), quick);
}

function damaged(): string {
  const path = join(folder, `damaged-${count++}`);
  cpSync(origin, path, { recursive: true });
  return path;
}

const all: PullOptions = { names: [], remoteName: undefined, depth: 0, makePlan: makePlanAgain };
const one = { ...all, names: ['test/small'] };
const run = (to: Repository, from: string, options: Partial<PullOptions> = {}) =>
  pull(to, new FolderSource(from), { ...all, ...options });

async function objects(repository: Repository): Promise<string[]> {
  const found: string[] = [];
  for await (const { checksum, kind } of repository.listObjects()) found.push(checksum + kind);
  return found.sort();
}

async function countFiles(repository: Repository): Promise<number> {
  let count = 0;
  for await (const { kind } of repository.listObjects()) if (kind === 'filez') count += 1;
  return count;
}

test('a commit comes whole, with its plan; refs get the name of the remote, or keep theirs', async () => {
  const repository = await fresh();
  const result = await run(repository, origin, { names: ['test/small'], remoteName: 'origin' });
  expect(result.commits).toEqual([commits[0]]);
  expect([...(await listRefs(repository))]).toEqual([['origin:test/small', commits[0]]]);
  const { problems, commits: checked } = await checkRepository(repository);
  expect(problems).toEqual([]);
  expect(checked).toBe(1);
  expect(existsSync(repository.objectFile(commits[0] ?? '', 'plan'))).toBe(true);
  expect(isPartial(repository, commits[0] ?? '')).toBe(false);
  const again = await run(repository, origin);
  expect(again).toEqual({
    refs: { 'test/small': commits[0] },
    commits: [],
    objects: 0,
    deltas: 0,
    bytes: 0,
    refused: [],
  });
  expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
});

test('--depth brings parents, -1 all of them: then the same objects are there as at the origin', async () => {
  const repository = await fresh();
  expect((await run(repository, origin, { depth: 1 })).commits).toEqual(commits.slice(0, 2));
  expect((await run(repository, origin, { depth: -1 })).commits).toEqual(commits.slice(2));
  expect(await objects(repository)).toEqual(await objects(await Repository.open(origin)));
});

test('history ends where the remote has no more', async () => {
  const path = damaged();
  rmSync((await Repository.open(path)).objectFile(commits[1] ?? '', 'commit'));
  const repository = await fresh();
  expect((await run(repository, path, { depth: -1 })).commits).toEqual([commits[0]]);
});

test('a plan that the remote lost or damaged is made again, byte for byte', async () => {
  const plan = readFileSync((await Repository.open(origin)).objectFile(commits[0] ?? '', 'plan'));
  for (const damage of [rmSync, (file: string) => writeFileSync(file, 'no plan')]) {
    const path = damaged();
    damage((await Repository.open(path)).objectFile(commits[0] ?? '', 'plan'));
    const repository = await fresh();
    await run(repository, path);
    expect(readFileSync(repository.objectFile(commits[0] ?? '', 'plan')).equals(plan)).toBe(true);
  }
});

test('S7: damaged objects are refused, whatever their kind; nothing wrong is stored, no ref is set, and a whole remote finishes it', async () => {
  const source = await Repository.open(origin);
  const { rootTree, rootMeta } = await source.readCommit(commits[0] ?? '');
  const file = await findInCommit(source, commits[0] ?? '', '/noise');
  const named = [
    ['commit', commits[0]],
    ['dirtree', rootTree],
    ['dirmeta', rootMeta],
    ['filez', file?.kind === 'file' ? file.checksum : ''],
  ] as const;
  for (const [kind, checksum = ''] of named) {
    const path = damaged();
    const bad = (await Repository.open(path)).objectFile(checksum, kind);
    const bytes = readFileSync(bad);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(bad, bytes);
    const repository = await fresh();
    const error = await codeOfAsync(() => run(repository, path), 'CORRUPT_OBJECT');
    if (kind === 'filez') expect(await countFiles(repository)).toBeGreaterThan(0); // S7
    expect(error.details.where.startsWith(path), error.details.where).toBe(true);
    expect([...(await listRefs(repository))]).toEqual([]);
    expect(repository.has(checksum, kind)).toBe(false);
    // What fsck finds is no worse than a commit that is there in part.
    const report = await checkRepository(repository);
    expect(report.problems).toEqual([]);
    expect(report.partial).toBe(kind === 'filez' ? 1 : 0);
    await run(repository, origin);
    expect(isPartial(repository, commits[0] ?? '')).toBe(false);
    expect((await checkRepository(repository)).problems).toEqual([]);
  }
});

test('a summary with refs that lead elsewhere, or that is none, sets no ref', async () => {
  const { encodeSummary } = await import('../../src/repo/summary.ts');
  const entry = { commit: commits[0] ?? '', size: 1, timestamp: 1 };
  for (const name of ['../x', 'a/../../x', '/etc/x', '.hidden', 'a//b', 'a'.repeat(64)]) {
    const path = damaged();
    writeFileSync(join(path, 'summary'), encodeSummary(new Map([[name, entry]]), 1));
    const inner = new FolderSource(path);
    // As over HTTP: the summary alone tells which refs there are.
    const source: ByteSource = { name: path, open: inner.open.bind(inner), close: inner.close };
    const repository = await fresh();
    await codeOfAsync(() => pull(repository, source, all), 'INPUT_REF_NAME');
    writeFileSync(join(path, 'summary'), name);
    await codeOfAsync(() => pull(repository, source, all), 'CORRUPT_GVARIANT');
    expect([...(await listRefs(repository))]).toEqual([]);
  }
});

test('S7: cut at every file, it goes on where it stopped, also inside of a large object', async () => {
  const total = await countOpens();
  expect(total).toBeGreaterThan(10);
  for (let stop = 1; stop < total; stop += 1) {
    const repository = await fresh();
    const cut = cutSource(stop);
    await codeOfAsync(() => pull(repository, cut.source, one), 'REMOTE_BROKEN');
    expect([...(await listRefs(repository))]).toEqual([]);
    const temporary = join(repository.path, 'tmp');
    const parts = readdirSync(temporary).filter((name) => statSync(join(temporary, name)).size > 0);
    const resumed = cutSource(Number.POSITIVE_INFINITY);
    await pull(repository, resumed.source, one);
    const isPart = (name: string) => name.endsWith('.filez');
    expect(resumed.offsets.some((from) => from > 0)).toBe(parts.some(isPart));
    expect((await checkRepository(repository)).problems).toEqual([]);
    expect((await listRefs(repository)).get('test/small')).toBe(commits[0]);
    expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
  }
});

describe('signatures', () => {
  test('with --keys only what a key signed is taken; a signature that was added later comes too', async () => {
    const { signDetached } = await import('../../src/build/commit-metadata.ts');
    const mine = await generateKeyPair('mine');
    const other = await generateKeyPair('other');
    const path = damaged();
    const remote = await Repository.open(path, quick);
    const repository = await fresh();
    const checksum = commits[0] ?? '';
    await codeOfAsync(
      () => run(repository, path, { keys: [mine.publicKey] }),
      'TRUST_NO_SIGNATURE',
    );
    await run(repository, path);
    const object = await remote.readMetadataObject(checksum, 'commit');
    const signed = await signDetached(remote, checksum, object, [mine.secretKey]);
    writeFileSync(remote.objectFile(checksum, 'commitmeta'), signed ?? '');
    await codeOfAsync(
      () => run(repository, path, { keys: [other.publicKey] }),
      'TRUST_UNKNOWN_KEY',
    );
    await run(repository, path, { keys: [mine.publicKey] });
    expect(readFileSync(repository.objectFile(checksum, 'commitmeta'))).toEqual(signed);
  });
});

/** A source that breaks off in the middle of the file that is opened as number `stop`. */
function cutSource(stop: number) {
  const inner = new FolderSource(origin);
  const offsets: number[] = [];
  const source: ByteSource = {
    name: origin,
    async *open(path, options) {
      offsets.push(options.from ?? 0);
      const number = offsets.length;
      let sent = 0;
      for await (const piece of inner.open(path, options)) {
        if (number >= stop && sent > 100_000) throw broken();
        if (number >= stop && piece.length < 60_000) throw broken();
        sent += piece.length;
        yield piece;
      }
    },
    close: () => inner.close(),
  };
  return { source, offsets };
}

async function countOpens(): Promise<number> {
  const { source, offsets } = cutSource(Number.POSITIVE_INFINITY);
  await pull(await fresh(), source, one);
  return offsets.length;
}

function broken(): PineError {
  return new PineError('REMOTE_BROKEN', 'the connection broke', {
    expected: 'the whole file',
    found: 'an early end',
    where: origin,
    remedy: 'run it again',
  });
}
