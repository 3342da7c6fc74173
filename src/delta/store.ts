import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { isChecksum } from '../repo/object-name.ts';
import type { Repository } from '../repo/repository.ts';
import { deltaFolder, deltaIndexPath, deltaPath } from './delta-path.ts';

/** A delta of a repository: from which commit to which, and the bytes of its file. */
export interface StoredDelta {
  readonly from: string;
  readonly to: string;
  readonly size: number;
}

/** All deltas of a repository, in the order of the commits that they lead to. */
export async function listDeltas(repository: Repository): Promise<StoredDelta[]> {
  const found: StoredDelta[] = [];
  for (const to of await names(join(repository.path, deltaFolder))) {
    if (!isChecksum(to)) continue;
    for (const name of await names(join(repository.path, deltaFolder, to))) {
      const from = name.replace(/\.delta$/, '');
      if (!isChecksum(from) || from === name) continue;
      const { size } = await stat(join(repository.path, deltaPath({ from, to })));
      found.push({ from, to, size });
    }
  }
  return found;
}

/**
 * Puts a delta into a repository, whole or not at all (S6). What was there under its name is replaced. `check` may
 * look at the file before it gets its name, and throw.
 */
export async function publishDelta(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  check?: (path: string) => Promise<void>,
): Promise<number> {
  const temporary = join(repository.path, 'tmp', `pine-${ends.from}.delta`);
  const file = await open(temporary, 'w');
  let size = 0;
  try {
    for await (const piece of pieces) {
      await file.writeFile(piece);
      size += piece.length;
    }
  } finally {
    await file.close();
  }
  await check?.(temporary);
  await publishDeltaFile(repository, ends, temporary);
  return size;
}

/** The same with a file of the repository's file system, which gets the delta's name. */
export async function publishDeltaFile(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
  file: string,
): Promise<void> {
  const path = join(repository.path, deltaPath(ends));
  await nodeFileSystem.sync(file); // S6
  const first = await mkdir(dirname(path), { recursive: true });
  await rename(file, path);
  for (let each = dirname(path); each !== repository.path; each = dirname(each)) {
    await nodeFileSystem.sync(each);
    if (first === undefined) break;
  }
}

/** Opens the file of a delta while `use` runs, which is also given its path. */
export async function withStoredDelta<T>(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
  use: (file: PositionedReader, path: string) => Promise<T>,
): Promise<T> {
  const path = join(repository.path, deltaPath(ends));
  const file = await nodeBlockDevice(path).open('read');
  try {
    return await use(file, path);
  } finally {
    await file.close();
  }
}

/** Takes a delta away; its folder, with the index, goes with the last one. */
export async function removeDelta(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
): Promise<void> {
  const path = join(repository.path, deltaPath(ends));
  await rm(path, { force: true });
  const index = basename(deltaIndexPath(ends.to));
  if ((await names(dirname(path))).every((name) => name === index)) {
    await rm(dirname(path), { recursive: true, force: true });
  }
}

async function names(path: string): Promise<string[]> {
  return (await nodeFileSystem.readFolder(path)) ?? [];
}
