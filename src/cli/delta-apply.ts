import { applyDelta } from '../delta/apply.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { writeOutputFile } from '../install/output-file.ts';
import { verifyImage } from '../plan/read-back.ts';
import type { BlockDeviceOpener } from '../ports/block-device.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { keyFileLimit, parsePublicKey } from '../trust/key-file.ts';
import type { PublicKey } from '../trust/keys.ts';
import { withDelta } from './delta-file.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import type { RepositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly from: string;
  readonly output: string;
  readonly key?: readonly string[];
  readonly unsigned?: boolean;
}

/** `pinectl delta apply`. */
export async function apply(argument: string, options: Options): Promise<void> {
  const { output } = options;
  const keys = options.unsigned ? undefined : await readKeys(options.key ?? []);
  const progress = terminalProgress();
  try {
    await withDelta(argument, options, keys, async (delta) => {
      const { from, to } = delta.header;
      const { size } = to.image;
      const base = await nodeBlockDevice(options.from).open('read');
      try {
        await writeOutputFile(output, { size, needed: size }, async (path) => {
          const file = nodeBlockDevice(path);
          await withOpen(file, 'write', (target) =>
            applyDelta(delta, base, target, progress.report),
          );
          await file.dropCache();
          await withOpen(file, 'read', (target) => verifyImage(target, to.image, progress.report));
        });
      } finally {
        await base.close();
      }
      progress.end();
      const { signedBy } = delta;
      const result = { output, from: from.commit, to: to.commit, image: to.image, signedBy };
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

async function readKeys(paths: readonly string[]): Promise<PublicKey[]> {
  if (paths.length === 0) {
    throw new PineError('TRUST_NO_KEYS', 'it is not said whose deltas are taken', {
      expected: '--key FILE.pub',
      found: 'no key',
      where: 'the command line',
      remedy: 'give the key of the build host, or --unsigned for a delta that you made yourself',
    });
  }
  return Promise.all(
    paths.map(async (path) => {
      const bytes = await nodeFileSystem.readFile(path, keyFileLimit);
      return parsePublicKey(bytes?.toString() ?? '', path);
    }),
  );
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
