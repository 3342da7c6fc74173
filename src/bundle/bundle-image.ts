import { join } from 'node:path';
import { applyDelta } from '../delta/apply.ts';
import { imageOfCommit, withImageFile } from '../delta/commit-image.ts';
import type { DeltaFile } from '../delta/decode/delta-file.ts';
import { nothing } from '../delta/delta-path.ts';
import { checkDeltaSpace } from '../delta/generate.ts';
import { scratchFile } from '../delta/recompress/scratch.ts';
import { withTemporaryFile } from '../disk/temporary-file.ts';
import { PineError } from '../error.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { bytesReader, type PositionedReader } from '../ports/positioned-reader.ts';
import type { Progress } from '../ports/progress.ts';
import type { Repository } from '../repo/repository.ts';
import type { Wanted } from './bundle-deltas.ts';

/**
 * Makes the image of a bundle in tmp/, with a delta whose old image the repository makes, or that needs none, and removes it
 * after `use`. Throws NOT_FOUND_WAY, SPACE_REPOSITORY, and what `applyDelta` throws.
 */
export async function withBundleImage<T>(
  repository: Repository,
  deltas: readonly DeltaFile[],
  { checksum, image }: Wanted,
  progress: Progress | undefined,
  use: (image: BlockDevice) => Promise<T>,
): Promise<T> {
  const isHere = ({ header }: DeltaFile) => repository.has(header.from.commit, 'plan');
  const isFull = ({ header }: DeltaFile) => header.from.commit === nothing;
  const delta = deltas.find(isHere) ?? deltas.find(isFull);
  if (delta === undefined) throw noWay(checksum, deltas);
  const temporary = join(repository.path, 'tmp');
  const { from: old, scratch } = delta.header;
  await checkDeltaSpace(temporary, image.size + old.image.size + scratch);
  const path = join(temporary, 'pine-bundle-new');
  const make = (base: PositionedReader): Promise<T> =>
    withTemporaryFile(path, image.size, async (file) => {
      const kept = scratchFile(nodeFileSystem, join(temporary, 'pine-bundle-scratch'));
      await applyDelta(delta, base, file, kept, progress);
      return use(file);
    });
  if (isFull(delta)) return make(bytesReader(new Uint8Array()));
  const from = await imageOfCommit(repository, delta.header.from.commit);
  const file = { path: join(temporary, 'pine-bundle-old'), progress };
  return withImageFile(repository, from, file, make);
}

function noWay(checksum: string, deltas: readonly DeltaFile[]): PineError {
  return new PineError(
    'NOT_FOUND_WAY',
    'the repository lacks what the deltas of the bundle are from',
    {
      expected: `one of ${deltas.map(({ header }) => header.from.commit).join(', ') || 'no deltas'}`,
      found: 'none of these commits',
      where: `commit ${checksum}`,
      remedy: 'make a bundle with a full delta: pinectl bundle create --full',
    },
  );
}
