import { existsSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Link } from '../../delta/chain/delta-index.ts';
import { openDelta } from '../../delta/decode/delta-file.ts';
import { type DeltaStart, readDeltaStart, startLength } from '../../delta/decode/delta-start.ts';
import { deltaPath } from '../../delta/delta-path.ts';
import { corruptDelta } from '../../delta/format/corrupt-delta.ts';
import { publishDeltaFile } from '../../delta/store.ts';
import { nodeBlockDevice } from '../../disk/node-block-device.ts';
import { PineError } from '../../error.ts';
import type { Digest } from '../../image/digest.ts';
import { bytesReader } from '../../ports/positioned-reader.ts';
import { promisedImage } from '../../repo/pine-metadata.ts';
import type { Repository } from '../../repo/repository.ts';
import type { PublicKey } from '../../trust/keys.ts';
import { fileName } from '../file-name.ts';
import type { RemoteRepository } from '../remote-repository.ts';
import { partPrefix, roomFor } from './receive-file-object.ts';

/** More than any delta has: its numbers have 48 bits. */
const largest = 2 ** 48;

/** Which delta, and who must have signed it; `undefined`: nobody is asked for. */
export interface DeltaToReceive extends Pick<Link, 'from' | 'to'> {
  readonly keys: readonly PublicKey[] | undefined;
}

/**
 * Brings a delta into a repository: it gets its name when its header is for the two commits, and signed if that is asked
 * for, and every piece of it was checked. One that is there with the same beginning, in which the hashes of all pieces are,
 * is not fetched again. What a killed pull had of it in `tmp/` is gone on with. Gives the bytes of the file, 0 when it was there.
 *
 * Throws NOT_FOUND_REMOTE_FILE, CORRUPT_DELTA, TRUST_UNKNOWN_KEY, SPACE_REPOSITORY, REMOTE_….
 */
export async function receiveDelta(
  remote: RemoteRepository,
  repository: Repository,
  wanted: DeltaToReceive,
): Promise<number> {
  const { bytes, start } = await fetchBeginning(remote, wanted);
  await checkEnds(repository, wanted, start, remote.name);
  if (await isPresent(repository, wanted, start.size, bytes)) return 0;
  const part = join(repository.path, 'tmp', `${partPrefix}${wanted.from}..${wanted.to}.delta`);
  const resumed = existsSync(part) && statSync(part).size > 0;
  try {
    await download(remote, repository, wanted, part, start.size);
    await checkFile(part, wanted);
  } catch (error) {
    const wrong = error instanceof PineError && /^(CORRUPT|REMOTE_CHANGED)/.test(error.code);
    if (wrong) rmSync(part, { force: true });
    // Two halves of different deltas are no whole. Once more, from the start.
    if (wrong && resumed) return receiveDelta(remote, repository, wanted);
    throw error;
  }
  await publishDeltaFile(repository, wanted, part);
  return start.size;
}

/** The header and its signatures: what the rest must be, and how long it is (S5). */
async function fetchBeginning(
  remote: RemoteRepository,
  { from, to, keys }: DeltaToReceive,
): Promise<{ bytes: Buffer; start: DeltaStart }> {
  const name = fileName(remote.name, deltaPath({ from, to }));
  let bytes = Buffer.alloc(0);
  for await (const piece of remote.fetchDelta({ from, to }, { limit: largest, from: 0 })) {
    bytes = Buffer.concat([bytes, piece]);
    const length = startLength(bytes, name);
    if (bytes.length < length) continue;
    bytes = bytes.subarray(0, length);
    return { bytes, start: await readDeltaStart(bytesReader(bytes), keys, name) };
  }
  throw corruptDelta('a whole header', `${bytes.length} bytes`, name);
}

/** That it is for these two commits, and for the images that they promise, as far as they are here. */
async function checkEnds(
  repository: Repository,
  wanted: DeltaToReceive,
  { header }: DeltaStart,
  where: string,
): Promise<void> {
  for (const end of ['from', 'to'] as const) {
    const { commit, image } = header[end];
    const promised = await imageOf(repository, wanted[end]);
    const isRight =
      commit === wanted[end] && (promised === undefined || promised.sha256 === image.sha256);
    if (isRight) continue;
    throw corruptDelta(`a delta between ${wanted.from} and ${wanted.to}`, `another ${end}`, where);
  }
}

async function imageOf(repository: Repository, commit: string): Promise<Digest | undefined> {
  if (!repository.has(commit, 'commit')) return undefined;
  return promisedImage(await repository.readCommit(commit));
}

async function isPresent(
  repository: Repository,
  ends: DeltaToReceive,
  size: number,
  beginning: Buffer,
): Promise<boolean> {
  const path = join(repository.path, deltaPath(ends));
  if (!existsSync(path) || statSync(path).size !== size) return false;
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(beginning.length), 0);
    return bytesRead === beginning.length && buffer.equals(beginning);
  } finally {
    await file.close();
  }
}

async function download(
  remote: RemoteRepository,
  repository: Repository,
  ends: DeltaToReceive,
  part: string,
  size: number,
): Promise<void> {
  let at = existsSync(part) ? statSync(part).size : 0;
  if (at > size) throw corruptDelta(`${size} bytes`, `${at}`, part);
  if (at === size) return;
  const room = await roomFor(repository); // S10
  if (size - at > room) throw noRoom(repository, size - at, room);
  const file = await open(part, 'a');
  try {
    for await (const piece of remote.fetchDelta(ends, { limit: size, from: at })) {
      await file.writeFile(piece);
      at += piece.length;
    }
  } finally {
    await file.close();
  }
}

async function checkFile(path: string, { keys }: DeltaToReceive): Promise<void> {
  const file = await nodeBlockDevice(path).open('read');
  try {
    await (await openDelta(file, keys, path)).check();
  } finally {
    await file.close();
  }
}

function noRoom(repository: Repository, needed: number, room: number): PineError {
  return new PineError('SPACE_REPOSITORY', 'the repository has no room for a delta', {
    expected: `${needed} bytes`,
    found: `${room} bytes`,
    where: repository.path,
    remedy: 'free some space (`pinectl prune`, `pinectl delta prune`), then pull again',
  });
}
