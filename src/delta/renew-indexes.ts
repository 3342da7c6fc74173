import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import type { Repository } from '../repo/repository.ts';
import {
  type DeltaIndex,
  decodeIndex,
  encodeIndex,
  type IndexedSource,
  indexLimit,
  type Link,
  longestChain,
  mostSources,
} from './chain/delta-index.ts';
import { deltaNeeds } from './chain/made-bytes.ts';
import { openDelta } from './decode/delta-file.ts';
import { deltaIndexPath, deltaPath, nothing } from './delta-path.ts';
import { fetchedSizes, missingBytes } from './fetched-sizes.ts';
import { listDeltas } from './store.ts';

/**
 * Writes the index of every commit that a delta leads to, where it is not right already. `hints` are indexes of
 * another repository, by commit: what they tell of deltas that are here too is not measured again, and can't be
 * where old commits are missing. Whoever calls this holds the repository's lock.
 */
export async function renewIndexes(
  repository: Repository,
  hints: ReadonlyMap<string, DeltaIndex> = new Map(),
): Promise<void> {
  const deltas = await listDeltas(repository);
  const old = new Map<string, readonly IndexedSource[]>();
  for (const { to } of deltas) {
    if (old.has(to)) continue;
    const { sources } = await readIndex(repository, to);
    old.set(to, [...sources, ...(hints.get(to)?.sources ?? [])]);
  }
  const known = new Map<string, Pick<Link, 'made' | 'scratch'>>();
  for (const link of [...old.values()].flat().flatMap(linksOf)) {
    known.set(keyOf(link), { made: link.made, scratch: link.scratch });
  }
  const links = new Map<string, Link[]>();
  for (const delta of deltas) {
    const needs = known.get(keyOf(delta)) ?? (await measureNeeds(repository, delta));
    if (needs === undefined) continue;
    links.set(delta.to, [...(links.get(delta.to) ?? []), { ...delta, ...needs }]);
  }
  for (const [to, before] of old) {
    const found = sourcesOf(to, links);
    const files = new Map<string, number>();
    for (const source of before) {
      if (source.files !== undefined) files.set(source.commit, source.files);
    }
    const index = {
      more: found.more,
      sources: await withFiles(repository, to, found.sources, files),
    };
    await writeIndex(repository, to, encodeIndex(to, index));
  }
}

const linksOf = ({ links }: IndexedSource): readonly Link[] => links;
const keyOf = ({ from, to, size }: Pick<Link, 'from' | 'to' | 'size'>): string =>
  `${from}..${to} ${size}`;

/** The commits that lead to one, nearest first; of the deltas between them only those that lead on. */
function sourcesOf(to: string, links: ReadonlyMap<string, readonly Link[]>) {
  const listed = new Set<string>();
  let more = false;
  let round: readonly string[] = [to];
  const reached = new Map<string, Link[]>();
  for (let length = 1; length <= longestChain; length++) {
    const next: string[] = [];
    for (const link of round.flatMap((commit) => links.get(commit) ?? [])) {
      // What needs no other image is never the beginning of a chain: it would have to be kept whole.
      if (link.from === to || (link.from === nothing && link.to !== to)) continue;
      if (!listed.has(link.from)) {
        if (listed.size === mostSources) {
          more = true;
          continue;
        }
        listed.add(link.from);
        next.push(link.from);
      }
      reached.set(link.from, [...(reached.get(link.from) ?? []), link]);
    }
    round = next;
  }
  const sources = [...listed].map((commit) => ({ commit, links: reached.get(commit) ?? [] }));
  return { more, sources };
}

/** A delta that can't be read is left out, and so not asked for. */
async function measureNeeds(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
): Promise<Pick<Link, 'made' | 'scratch'> | undefined> {
  const path = join(repository.path, deltaPath(ends));
  const file = await nodeBlockDevice(path).open('read');
  try {
    return await deltaNeeds(await openDelta(file, undefined, path));
  } catch (error) {
    if (error instanceof PineError) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}

/** Adds what fetching files would take from each source. What is known already does not change. */
async function withFiles(
  repository: Repository,
  to: string,
  sources: readonly Omit<IndexedSource, 'files'>[],
  known: ReadonlyMap<string, number>,
): Promise<IndexedSource[]> {
  const isNew = sources.some(({ commit }) => known.get(commit) === undefined);
  const sizes = isNew ? await fetchedSizes(repository, to) : undefined;
  const all: IndexedSource[] = [];
  for (const source of sources) {
    const { commit } = source;
    const files = known.get(commit) ?? (sizes && (await missingBytes(repository, sizes, commit)));
    all.push({ ...source, files });
  }
  return all;
}

/** The index as it is; an empty one when there is none that can be read. */
async function readIndex(repository: Repository, to: string): Promise<DeltaIndex> {
  const path = join(repository.path, deltaIndexPath(to));
  const bytes = await nodeFileSystem.readFile(path, indexLimit).catch(() => undefined);
  try {
    if (bytes !== undefined) return decodeIndex(bytes.toString(), to, path);
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
  }
  return { sources: [], more: false };
}

async function writeIndex(repository: Repository, to: string, text: string): Promise<void> {
  const path = join(repository.path, deltaIndexPath(to));
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  const temporary = join(repository.path, 'tmp', 'pine-delta-index');
  await mkdir(join(repository.path, 'tmp'), { recursive: true });
  await writeFile(temporary, text);
  await nodeFileSystem.sync(temporary); // S6
  await rename(temporary, path);
  await nodeFileSystem.sync(join(path, '..'));
}
