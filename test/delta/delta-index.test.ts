import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import {
  decodeIndex,
  encodeIndex,
  indexLimit,
  type Link,
  longestChain,
  mostSources,
} from '../../src/delta/chain/delta-index.ts';
import { findChain, findDirect } from '../../src/delta/chain/find-chain.ts';
import { nothing } from '../../src/delta/delta-path.ts';
import { generateDelta } from '../../src/delta/generate.ts';
import { generateFullDelta } from '../../src/delta/generate-full.ts';
import { renewIndexes } from '../../src/delta/renew-indexes.ts';
import { listDeltas, removeDelta } from '../../src/delta/store.ts';
import { findUnneededDeltas } from '../../src/delta/unneeded.ts';
import { openPlan } from '../../src/plan/plan-file.ts';
import { summarizePlan, useRanges } from '../../src/plan/ranges.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { smallRepository, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOf } from '../support/code-of.ts';

const folder = temporaryFolder();
const name = (digit: number) => digit.toString(16).padStart(64, 'c');
const link = (from: number, to: number, size: number): Link => ({
  from: from === 0 ? nothing : name(from),
  to: name(to),
  size,
  made: size * 10,
  scratch: size === 100 ? 0 : size * 20,
});

describe('an index', () => {
  const index = {
    sources: [
      { commit: name(1), files: 9000, links: [link(1, 9, 700)] },
      { commit: name(2), files: undefined, links: [link(2, 9, 5000), link(2, 1, 100)] },
      { commit: nothing, files: 10_000, links: [link(0, 9, 8000)] },
    ],
    more: false,
  };

  test('is read as it was written', () => {
    const text = encodeIndex(name(9), index);
    expect(decodeIndex(text, name(9), 'x')).toEqual(index);
    expect(text.split('\n')[2]).toBe(`${name(2)} ? 0:5000:50000:100000 1:100:1000`);
    const more = { ...index, more: true };
    expect(decodeIndex(encodeIndex(name(9), more), name(9), 'x')).toEqual(more);
  });

  test('that is damaged anywhere ends in CORRUPT_DELTA_INDEX, or says something else', () => {
    const text = encodeIndex(name(9), index);
    for (let at = 0; at < text.length - 1; at++) {
      codeOf(() => decodeIndex(text.slice(0, at), name(9), 'x'), 'CORRUPT_DELTA_INDEX');
      for (const letter of ['x', ' ', '\n', ':', '9']) {
        const changed = text.slice(0, at) + letter + text.slice(at + 1);
        try {
          decodeIndex(changed, name(9), 'x');
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPT_DELTA_INDEX' });
        }
      }
    }
    const many = Array.from({ length: mostSources + 1 }, (_, at) => `${name(at + 20)} ?`);
    const long = ['pine-deltas 1', ...many, 'end\n'].join('\n');
    codeOf(() => decodeIndex(long, name(9), 'x'), 'CORRUPT_DELTA_INDEX');
  });

  test('of the most commits is not longer than what is read', () => {
    const sources = Array.from({ length: mostSources }, (_, at) => {
      const commit = name(at + 20);
      const links = [9, 20, 21, 22].map((to) => ({
        ...link(1, to, 123_456_789_012),
        from: commit,
      }));
      return { commit, files: 123_456_789_012, links };
    });
    expect(encodeIndex(name(9), { sources, more: true }).length).toBeLessThan(indexLimit);
  });

  test('leads from one commit to another in the fewest bytes', () => {
    expect(findDirect(index, name(2), name(9))?.size).toBe(5000);
    expect(findChain(index, name(2), name(9))?.map(({ size }) => size)).toEqual([100, 700]);
    expect(findChain(index, name(1), name(9))).toBeUndefined();
    expect(findDirect(index, name(3), name(9))).toBeUndefined();
    const circle = [
      { commit: name(1), files: 0, links: [link(1, 2, 1)] },
      { commit: name(2), files: 0, links: [link(2, 1, 1)] },
    ];
    expect(findChain({ sources: circle, more: false }, name(1), name(9))).toBeUndefined();
    const line = Array.from({ length: longestChain + 1 }, (_, at) => ({
      commit: name(at + 1),
      files: 0,
      links: [link(at + 1, at + 2, 1)],
    }));
    const end = name(longestChain + 2);
    expect(findChain({ sources: line, more: false }, name(2), end)).toHaveLength(longestChain);
    expect(findChain({ sources: line, more: false }, name(1), end)).toBeUndefined();
  });
});

test('a repository tells of all deltas that lead to a commit, and of what files would take', async () => {
  const { repository, commit: one } = await smallRepository(join(folder, 'repo'));
  const add = async (text: string, at: number) => {
    const options = { ref: 'test/small', timestamp: timestamp + at, image: true };
    return (await commitTree(repository, smallTree(text), options)).commit;
  };
  const [two, three] = [await add('two', 1), await add('and three', 2)];
  const remote = new RemoteRepository(new FolderSource(repository.path));
  const read = async (commit: string) => {
    const bytes = await remote.fetchDeltaIndex(commit);
    return decodeIndex(bytes?.toString() ?? '', commit, 'x');
  };
  const options = { keys: [] };
  await generateDelta(repository, { from: one, to: two }, options);
  await generateDelta(repository, { from: two, to: three }, options);
  const full = await generateFullDelta(repository, three, options);
  const index = await read(three);
  expect(index.sources.map(({ commit }) => commit).sort()).toEqual([nothing, one, two].sort());
  expect(findChain(index, one, three)?.map(({ from }) => from)).toEqual([one, two]);
  expect(findDirect(index, nothing, three)?.size).toBe(full.size);
  expect(findDirect(index, nothing, two)).toBeUndefined();
  const deltas = await listDeltas(repository);
  for (const { links } of index.sources) {
    for (const { from, to, size, made } of links) {
      expect(deltas).toContainEqual({ from, to, size });
      expect(made).toBeGreaterThan(0);
    }
  }

  const planOf = async (commit: string) =>
    openPlan(bytesReader(readFileSync(repository.objectFile(commit, 'plan'))));
  for (const { commit, files } of index.sources) {
    const plan = await planOf(three);
    const segments = commit === nothing ? plan.segments() : useRanges(plan, await planOf(commit));
    const { size } = bytesReader(readFileSync(repository.objectFile(three, 'plan')));
    let bytes = size;
    for await (const segment of segments) {
      if (segment.kind !== 'object') continue;
      bytes += readFileSync(repository.objectFile(segment.checksum, 'filez')).length;
    }
    expect(files).toBe(bytes);
    expect((await summarizePlan(plan.segments())).objects).toBe(2);
  }

  // Lost or damaged, it is made again just the same.
  const path = join(repository.path, 'pine/deltas', three, 'index');
  const text = readFileSync(path, 'utf8');
  rmSync(path);
  await renewIndexes(repository);
  expect(readFileSync(path, 'utf8')).toBe(text);

  // What leads to the ref's commit by way of others stays, but for one from nothing.
  await generateFullDelta(repository, two, options);
  const unneeded = async (depth: number) =>
    (await findUnneededDeltas(repository, depth)).map(({ from, to }) => [from, to]);
  expect(await unneeded(8)).toEqual([[nothing, two]]);
  expect((await unneeded(1)).sort()).toEqual(
    [
      [nothing, two],
      [one, two],
    ].sort(),
  );
  await removeDelta(repository, { from: one, to: two });
  await renewIndexes(repository);
  expect((await read(three)).sources.map(({ commit }) => commit)).not.toContain(one);
});
