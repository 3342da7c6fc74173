import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { makePlanAgain } from '../../src/build/remake-plan.ts';
import { updateSummary } from '../../src/build/update-summary.ts';
import { decodeIndex } from '../../src/delta/chain/delta-index.ts';
import { deltaIndexPath, deltaPath, nothing } from '../../src/delta/delta-path.ts';
import { generateDelta } from '../../src/delta/generate.ts';
import { generateFullDelta } from '../../src/delta/generate-full.ts';
import { listDeltas } from '../../src/delta/store.ts';
import { PineError } from '../../src/error.ts';
import type { ByteSource } from '../../src/ports/byte-source.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { type PullOptions, pull } from '../../src/remote/pull/pull.ts';
import { listRefs, writeRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import type { PublicKey, SecretKey } from '../../src/trust/keys.ts';
import { quick } from '../repo/support/quick.ts';
import { smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';

const folder = temporaryFolder();
const origin = join(folder, 'origin');
const ref = 'test/small';
let keys: { publicKey: PublicKey; secretKey: SecretKey };
let [one, two, three] = ['', '', ''];
let count = 0;

/** Does not compress: makes deltas of several pieces. */
const noise = Buffer.concat(
  Array.from({ length: 10_000 }, (_, at) => createHash('sha256').update(`${at}`).digest()),
);

beforeAll(async () => {
  keys = await generateKeyPair('release');
  const signKeys = [keys.secretKey];
  const repository = await Repository.init(origin, quick);
  const commits: string[] = [];
  for (const text of ['one', 'two', 'three']) {
    const tree = smallTree(text);
    if (text === 'three') tree.putFile('/noise', noise, { mode: 0o644 });
    const options = { ref, timestamp: timestamp + commits.length, image: true, signKeys };
    commits.push((await commitTree(repository, tree, options)).commit);
  }
  [one = '', two = '', three = ''] = commits;
  const signed = { keys: signKeys };
  await generateDelta(repository, { from: one, to: two }, signed);
  await generateDelta(repository, { from: two, to: three }, signed);
  await generateDelta(repository, { from: one, to: three }, signed);
  await generateFullDelta(repository, three, signed);
});

const opened: string[] = [];
afterEach(() => opened.splice(0));

async function mirror(to: Repository, from: string, options: Partial<PullOptions> = {}) {
  const inner = new FolderSource(from);
  const source: ByteSource = {
    name: from,
    open(path, range) {
      opened.push(path);
      return inner.open(path, range);
    },
    close: () => inner.close(),
  };
  const all = { names: [ref], remoteName: undefined, depth: 0, makePlan: makePlanAgain };
  return pull(to, source, { ...all, deltas: true, keys: [keys.publicKey], ...options });
}

const fresh = () => Repository.init(join(folder, `mirror-${count++}`), quick);

function altered(change: (path: string) => void): string {
  const path = join(folder, `altered-${count++}`);
  cpSync(origin, path, { recursive: true });
  change(path);
  return path;
}

/** Every file that a machine may ask for, with what is in it. */
function served(path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const top of ['objects', 'refs/heads', 'pine/deltas']) {
    for (const name of readdirSync(join(path, top), { recursive: true, encoding: 'utf8' })) {
      const file = join(path, top, name);
      if (statSync(file).isFile()) found.set(`${top}/${name}`, readFileSync(file, 'base64'));
    }
  }
  return found;
}

test('a mirror of everything has, byte for byte, every file that a machine asks for', async () => {
  const repository = await fresh();
  const result = await mirror(repository, origin, { depth: -1 });
  expect(result).toMatchObject({ deltas: 4, refused: [] });
  expect(served(repository.path)).toEqual(served(origin));
  expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
  // Again: only the beginnings are read.
  expect(await mirror(repository, origin, { depth: -1 })).toMatchObject({ deltas: 0, bytes: 0 });
  expect(served(repository.path)).toEqual(served(origin));
});

test('without old commits it has all that leads to the new one, chains too, and the same index', async () => {
  const repository = await fresh();
  expect(await mirror(repository, origin)).toMatchObject({ deltas: 4, commits: [three] });
  const path = deltaIndexPath(three);
  expect(readFileSync(join(repository.path, path))).toEqual(readFileSync(join(origin, path)));
  const index = decodeIndex(readFileSync(join(repository.path, path), 'utf8'), three, path);
  expect(index.sources.map(({ commit }) => commit).sort()).toEqual([nothing, one, two].sort());
  // A delta that the origin has made again, and one that it has no more.
  const changed = altered(() => {});
  const remote = await Repository.open(changed, quick);
  const other = await generateKeyPair('other');
  await generateDelta(
    remote,
    { from: two, to: three },
    { keys: [other.secretKey, keys.secretKey] },
  );
  rmSync(join(changed, deltaPath({ from: one, to: three })));
  expect((await mirror(repository, changed)).deltas).toBe(1);
  const again = deltaPath({ from: two, to: three });
  expect(readFileSync(join(repository.path, again))).toEqual(readFileSync(join(changed, again)));
  expect(await listDeltas(repository)).toHaveLength(4);
});

test('the summary comes with its signatures when it says what came, as with `ostree pull --mirror`', async () => {
  const path = altered(() => {});
  const remote = await Repository.open(path, quick);
  const all = { names: [], remoteName: undefined, depth: 0, makePlan: makePlanAgain };
  const repository = await fresh();
  await pull(repository, new FolderSource(path), all);
  expect(existsSync(join(repository.path, 'summary'))).toBe(false);
  await updateSummary(remote, [keys.secretKey], timestamp);
  await pull(repository, new FolderSource(path), all);
  for (const name of ['summary', 'summary.sig']) {
    expect(readFileSync(join(repository.path, name))).toEqual(readFileSync(join(path, name)));
  }
  // One that is out of date is not what the mirror has.
  await writeRef(remote, 'another', one);
  const before = readFileSync(join(repository.path, 'summary'));
  await pull(repository, new FolderSource(path), all);
  expect(readFileSync(join(repository.path, 'summary'))).toEqual(before);
});

test('without --mirror no deltas come', async () => {
  const repository = await fresh();
  expect(await mirror(repository, origin, { deltas: false })).toMatchObject({ deltas: 0 });
  expect(await listDeltas(repository)).toEqual([]);
});

const wanted = () => deltaPath({ from: one, to: three });
const flip = (path: string, at: number) => {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at] = (bytes.at(at) ?? 0) ^ 1;
  writeFileSync(path, bytes);
};

test.each([
  ['a piece altered', (path: string) => flip(join(path, wanted()), -1), 'CORRUPT_DELTA'],
  ['its header altered', (path: string) => flip(join(path, wanted()), 90), 'TRUST_UNKNOWN_KEY'],
  [
    'cut short',
    (path: string) => truncateSync(join(path, wanted()), statSync(join(path, wanted())).size - 1),
    'CORRUPT_DELTA',
  ],
  [
    'longer',
    (path: string) => writeFileSync(join(path, wanted()), 'x', { flag: 'a' }),
    'CORRUPT_TOO_LARGE',
  ],
  ['gone', (path: string) => rmSync(join(path, wanted())), 'NOT_FOUND_REMOTE_FILE'],
  [
    'another in its place',
    (path: string) => cpSync(join(path, deltaPath({ from: two, to: three })), join(path, wanted())),
    'CORRUPT_DELTA',
  ],
])('S5: %s: it is left out and named, everything else comes', async (_, change, code) => {
  const repository = await fresh();
  const { refused, deltas } = await mirror(repository, altered(change));
  expect(refused).toMatchObject([{ what: `${one}..${three}`, error: { code } }]);
  expect(deltas).toBe(3);
  expect((await listRefs(repository)).get(ref)).toBe(three);
  expect((await listDeltas(repository)).some(({ from, to }) => from === one && to === three)).toBe(
    false,
  );
  const path = deltaIndexPath(three);
  const index = decodeIndex(readFileSync(join(repository.path, path), 'utf8'), three, path);
  // No machine is told of what is not there.
  expect(
    index.sources
      .flatMap(({ links }) => links)
      .map(({ from, to }) => [from, to])
      .sort(),
  ).toEqual(
    [
      [nothing, three],
      [one, two],
      [two, three],
    ].sort(),
  );
  expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
});

test('S5: an index that is damaged, and deltas that a stranger signed', async () => {
  const damaged = altered((path) => writeFileSync(join(path, deltaIndexPath(three)), 'no index'));
  const { refused, refs } = await mirror(await fresh(), damaged);
  expect(refused).toMatchObject([{ error: { code: 'CORRUPT_DELTA_INDEX' } }]);
  expect(refs).toEqual({ [ref]: three });
  const stranger = altered(() => {});
  const remote = await Repository.open(stranger, quick);
  const other = await generateKeyPair('other');
  for (const from of [one, two]) {
    // A signature that it has would stay.
    rmSync(join(stranger, deltaPath({ from, to: three })));
    await generateDelta(remote, { from, to: three }, { keys: [other.secretKey] });
  }
  const result = await mirror(await fresh(), stranger);
  expect(result.refused.map(({ error }) => error.code)).toEqual(Array(2).fill('TRUST_UNKNOWN_KEY'));
  expect(result.deltas).toBe(2);
});

test('S7: cut anywhere in a delta, the next pull goes on there, and no ref was set before', async () => {
  const repository = await fresh();
  const inner = new FolderSource(origin);
  const full = deltaPath({ from: nothing, to: three });
  let [starts, cut] = [0, true];
  const resumedAt: number[] = [];
  const source: ByteSource = {
    name: origin,
    async *open(path, options) {
      const isRest = path === full && ++starts > 1;
      if (isRest) resumedAt.push(options.from ?? 0);
      let sent = 0;
      for await (const piece of inner.open(path, options)) {
        if (isRest && cut && sent > 0) throw broken();
        sent += piece.length;
        yield piece;
      }
    },
    close: () => inner.close(),
  };
  const options = {
    names: [ref],
    remoteName: undefined,
    depth: 0,
    makePlan: makePlanAgain,
    deltas: true,
  };
  await codeOfAsync(() => pull(repository, source, options), 'REMOTE_BROKEN');
  expect([...(await listRefs(repository))]).toEqual([]);
  cut = false;
  starts = 0;
  await pull(repository, source, options);
  expect(resumedAt).toEqual([0, 65536]);
  expect(readFileSync(join(repository.path, full))).toEqual(readFileSync(join(origin, full)));
});

function broken(): PineError {
  return new PineError('REMOTE_BROKEN', 'the connection broke', {
    expected: 'the whole file',
    found: 'an early end',
    where: origin,
    remedy: 'run it again',
  });
}
