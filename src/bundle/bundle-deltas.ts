import { type DeltaFile, openDelta } from '../delta/decode/delta-file.ts';
import { deltaPath } from '../delta/delta-path.ts';
import { corruptDelta } from '../delta/format/corrupt-delta.ts';
import { renewIndexes } from '../delta/renew-indexes.ts';
import { publishDelta } from '../delta/store.ts';
import type { Digest } from '../image/digest.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { Repository } from '../repo/repository.ts';
import type { PublicKey } from '../trust/keys.ts';
import type { Bundle } from './bundle-file.ts';

/** A commit, and the image that it promises. */
export interface Wanted {
  readonly checksum: string;
  readonly image: Digest;
}

/** A delta of a bundle, and the file that it is in. */
export interface BundleDelta extends DeltaFile {
  readonly content: PositionedReader;
}

/** Opens the deltas of a bundle, each piece checked. Throws CORRUPT_DELTA, TRUST_UNKNOWN_KEY. */
export async function openDeltas(
  { sources, file, name }: Bundle,
  { checksum, image }: Wanted,
  keys: readonly PublicKey[] | undefined,
): Promise<BundleDelta[]> {
  const deltas: BundleDelta[] = [];
  for (const from of sources) {
    const path = deltaPath({ from, to: checksum });
    const where = `${name}, ${path}`;
    const content = file(path);
    if (content === undefined) continue;
    const delta = await openDelta(content, keys, where);
    const { header } = delta;
    const isWanted =
      header.from.commit === from &&
      header.to.commit === checksum &&
      header.to.image.sha256 === image.sha256;
    if (!isWanted) {
      const found = `one from ${header.from.commit} to ${header.to.commit}`;
      throw corruptDelta('a delta between the commits of its name, to the image', found, where);
    }
    await delta.check();
    deltas.push({ ...delta, content });
  }
  return deltas;
}

/** Puts deltas into a repository. Whoever calls this holds its lock; the commit that they lead to is there. */
export async function publishDeltas(
  repository: Repository,
  deltas: readonly BundleDelta[],
): Promise<void> {
  for (const { header, content } of deltas) {
    const ends = { from: header.from.commit, to: header.to.commit };
    await publishDelta(repository, ends, bytesOf(content));
  }
  await renewIndexes(repository);
}

async function* bytesOf(reader: PositionedReader): AsyncGenerator<Uint8Array> {
  const pieceSize = 256 * 1024;
  for (let at = 0; at < reader.size; at += pieceSize) {
    yield await reader.read(at, Math.min(pieceSize, reader.size - at));
  }
}
