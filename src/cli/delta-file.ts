import { join } from 'node:path';
import { type DeltaFile, openDelta } from '../delta/decode/delta-file.ts';
import type { Signers } from '../delta/decode/delta-start.ts';
import { deltaPath, nothing } from '../delta/delta-path.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { isFolder, requireFile } from './input-file.ts';
import { openRepository, type RepositoryOptions } from './repository-option.ts';

/** Opens the delta that an argument names (a file, or FROM..TO of a repository) while `use` runs. */
export async function withDelta<T>(
  argument: string,
  options: RepositoryOptions,
  keys: Signers,
  use: (delta: DeltaFile, path: string) => Promise<T>,
): Promise<T> {
  const path = await pathOf(argument, options);
  await requireFile(
    path,
    'a .delta file, or FROM..TO with --repo (..TO for one from nothing)',
    '`pinectl delta list` lists those of a repository',
  );
  const file = await nodeBlockDevice(path).open('read');
  try {
    return await use(await openDelta(file, keys, path), path);
  } finally {
    await file.close();
  }
}

async function pathOf(argument: string, options: RepositoryOptions): Promise<string> {
  const [from, to, ...more] = argument.split('..');
  const isFile = (await isFolder(argument)) !== undefined;
  const isPath = isFile || !to || to.startsWith('/') || more.length > 0;
  if (isPath || from === undefined) return argument;
  const repository = await openRepository(options);
  const ends = {
    from: from === '' ? nothing : await resolveCommit(repository, from),
    to: await resolveCommit(repository, to),
  };
  return join(repository.path, deltaPath(ends));
}
