import { applyDelta } from '../delta/apply.ts';
import { nothing } from '../delta/delta-path.ts';
import type { DeltaHeader } from '../delta/format/header.ts';
import { scratchFile } from '../delta/recompress/scratch.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { withTemporaryPaths } from '../disk/temporary-paths.ts';
import { PineError } from '../error.ts';
import { writeOutputFile } from '../install/output-file.ts';
import { verifyImage } from '../plan/read-back.ts';
import type { BlockDeviceOpener } from '../ports/block-device.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { bytesReader, type PositionedReader } from '../ports/positioned-reader.ts';
import { withNothing } from './delta-ends.ts';
import { withDelta } from './delta-file.ts';
import { isFolder, requireFile } from './input-file.ts';
import { readSigners } from './key-files.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import type { RepositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly from?: string;
  readonly output: string;
  readonly key?: readonly string[];
  readonly unsigned?: boolean;
}

/** `pinectl delta apply`. */
export async function apply(argument: string, options: Options): Promise<void> {
  const { output } = options;
  const keys = await readSigners(options);
  const progress = terminalProgress();
  try {
    await withDelta(argument, options, keys, async (delta, deltaPath) => {
      const { from, to, scratch } = delta.header;
      const { size } = to.image;
      // What a repository has of the old image is written too, and what is decompressed of it.
      const isMade = options.from !== undefined && (await isFolder(options.from)) === true;
      const needed = size + (isMade ? from.image.size : 0) + scratch;
      const inputs = [deltaPath, ...(options.key ?? [])];
      await writeOutputFile(output, { size, needed, inputs }, async (path) => {
        const file = nodeBlockDevice(path);
        const [old, kept] = [`${path}.old`, `${path}.scratch`];
        const scratchBeside = scratchFile(nodeFileSystem, kept);
        await withTemporaryPaths([old, kept], () =>
          withOldImage(delta.header, options, old, (base) =>
            withOpen(file, 'write', (target) =>
              applyDelta(delta, base, target, scratchBeside, progress.report),
            ),
          ),
        );
        await file.dropCache();
        await withOpen(file, 'read', (target) => verifyImage(target, to.image, progress.report));
      });
      progress.end();
      const { signedBy } = delta;
      const result = withNothing({
        output,
        from: from.commit,
        to: to.commit,
        image: to.image,
        signedBy,
      });
      print(options.json, result, () => {
        const signed =
          signedBy === undefined ? 'not asked for a signature' : `signed by ${signedBy}`;
        return `${output}: image of commit ${to.commit.slice(0, 12)}, ${formatBytes(size)}, ${signed}`;
      });
    });
  } finally {
    progress.end();
  }
}

/** Opens the image that a delta is from: a file, a slot, what a repository makes, or nothing. */
async function withOldImage(
  { from }: DeltaHeader,
  options: Pick<Options, 'from'>,
  temporary: string,
  use: (base: PositionedReader) => Promise<void>,
): Promise<void> {
  if (from.commit === nothing) return use(bytesReader(new Uint8Array()));
  if (options.from === undefined) {
    throw new PineError('USAGE_COMMAND_LINE', 'this delta needs the image that it is from', {
      expected: '--from IMAGE, or --from REPOSITORY',
      found: 'neither',
      where: 'the command line',
      remedy: `give the image of commit ${from.commit}, or a repository that has it`,
    });
  }
  if (!(await isFolder(options.from))) {
    await requireFile(options.from, 'an image, a slot or a repository', 'check --from');
    return withOpen(nodeBlockDevice(options.from), 'read', use);
  }
  const { imageOfCommit, withImageFile } = await import('../delta/commit-image.ts');
  const { Repository } = await import('../repo/repository.ts');
  const repository = await Repository.open(options.from);
  const end = await imageOfCommit(repository, from.commit);
  return withImageFile(repository, end, { path: temporary }, use);
}

async function withOpen(
  opener: BlockDeviceOpener,
  mode: 'read' | 'write',
  use: (device: Awaited<ReturnType<BlockDeviceOpener['open']>>) => Promise<void>,
): Promise<void> {
  const device = await opener.open(mode);
  try {
    await use(device);
  } finally {
    await device.close();
  }
}
