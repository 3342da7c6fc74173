import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { writeOutputFile } from '../install/output-file.ts';
import { exportTar } from '../repo/export-tar.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly output?: string;
  readonly subpath?: string;
}

/** `pinectl export`: a commit becomes a tar. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .option(
      '-o, --output <file>',
      'a file, replaced when the tar is whole (default: standard output)',
    )
    .option('--subpath <folder>', 'only this folder of the tree')
    .addHelpText(
      'after',
      `
The tar is the same each time: names in order, all times the commit's, owners as numbers, extended
attributes as pax records. \`commit --tree tar=FILE\` makes the same tree of it.

Examples:
  pinectl export --repo repo -o web.tar alpine/x86_64/web
  pinectl export --repo repo --subpath /etc alpine/x86_64/web | tar -t`,
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const { output, subpath } = options;
  if (options.json && output === undefined) {
    throw new PineError('USAGE_COMMAND_LINE', 'standard output is for the tar or for JSON', {
      expected: '--output FILE with --json',
      found: '--json alone',
      where: 'the command line',
      remedy: 'add --output FILE',
    });
  }
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, name);
  const tar = exportTar(repository, commit, subpath);
  if (output === undefined) return pipeline(Readable.from(tar), process.stdout, { end: false });
  const { size, sha256 } = await writeFile(output, tar);
  print(options.json, { commit, output, size, sha256 }, () => `${sha256}  ${output}`);
}

/** Who finds the file finds it whole. How large it becomes shows in the end only. */
async function writeFile(path: string, pieces: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let size = 0;
  const counted = async function* () {
    for await (const piece of pieces) {
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
  };
  await writeOutputFile(path, { size: 0, needed: 0 }, (temporary) =>
    pipeline(Readable.from(counted()), createWriteStream(temporary)),
  );
  return { size, sha256: hash.digest('hex') };
}
