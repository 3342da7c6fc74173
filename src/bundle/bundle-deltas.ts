import { type DeltaFile, openDelta } from '../delta/decode/delta-file.ts';
import { deltaPath } from '../delta/delta-path.ts';
import { corruptDelta } from '../delta/format/corrupt-delta.ts';
import { renewIndexes } from '../delta/renew-indexes.ts';
import { publishDelta } from '../delta/store.ts';
import type { Digest } from '../image/digest.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { lockForWriting } from '../repo/lock.ts';
import type { Repository } from '../repo/repository.ts';
import type { PublicKey } from '../trust/keys.ts';
import type { Bundle } from './bundle-file.ts';
import { deltasOf } from './describe-bundle.ts';

/** A commit, and the image that it promises. */
export interface Wanted {
  readonly checksum: string;
  readonly image: Digest;
}

/** Opens the deltas of a bundle, each piece checked. Throws CORRUPT_DELTA, TRUST_UNKNOWN_KEY. */
export async function openDeltas(
  { paths, file, name }: Bundle,
  { checksum, image }: Wanted,
  keys: readonly PublicKey[] | undefined,
): Promise<DeltaFile[]> {
  const deltas: DeltaFile[] = [];
  for (const from of deltasOf(paths, checksum)) {
    const where = `${name}, ${deltaPath({ from, to: checksum })}`;
    const reader = file(deltaPath({ from, to: checksum }));
    if (reader === undefined) continue;
    const delta = await openDelta(reader, keys, where);
    const { header } = delta;
    const isWanted =
      header.from.commit === from &&
      header.to.commit === checksum &&
      header.to.image.sha256 === image.sha256;
    if (!isWanted)
      throw corruptDelta(`a delta to commit ${checksum}`, `one to ${header.to.commit}`, where);
    await delta.check();
    deltas.push(delta);
  }
  return deltas;
}

/** Puts the deltas of a bundle into a repository. */
export async function publishDeltas(
  repository: Repository,
  bundle: Bundle,
  to: string,
  deltas: readonly DeltaFile[],
): Promise<void> {
  const lock = await lockForWriting(repository);
  try {
    for (const { header } of deltas) {
      const ends = { from: header.from.commit, to };
      const reader = bundle.file(deltaPath(ends));
      if (reader !== undefined) await publishDelta(repository, ends, bytesOf(reader));
    }
    await renewIndexes(repository);
  } finally {
    await lock.release();
  }
}

async function* bytesOf(reader: PositionedReader): AsyncGenerator<Uint8Array> {
  const pieceSize = 256 * 1024;
  for (let at = 0; at < reader.size; at += pieceSize) {
    yield await reader.read(at, Math.min(pieceSize, reader.size - at));
  }
}
