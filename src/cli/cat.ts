import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { readFileContent, readFileHeader } from '../repo/file-object.ts';
import { followInCommit } from '../repo/follow-in-commit.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** `pinectl cat`: contents of files of a commit. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .argument('<paths...>', 'files; links are followed inside the tree')
    .addHelpText(
      'after',
      `
With --json one object a line, the content in base64.

Examples:
  pinectl cat --repo repo alpine/x86_64/web /etc/alpine-release
  pinectl cat --repo repo alpine/x86_64/web^ /lib/apk/db/installed | less`,
    )
    .action(run);
}

async function run(
  name: string,
  paths: readonly string[],
  options: RepositoryOptions,
): Promise<void> {
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, name);
  const files: { path: string; checksum: string }[] = [];
  for (const path of paths) files.push(await findFile(repository, commit, path));
  for (const { path, checksum } of files) {
    const content = readFileContent(repository, checksum);
    const output = options.json ? json(repository, path, checksum, content) : content;
    await pipeline(Readable.from(output), process.stdout, { end: false });
  }
}

async function findFile(repository: Repository, commit: string, path: string) {
  const found = await followInCommit(repository, commit, path);
  if (found?.entry.kind === 'file') return { path: found.path, checksum: found.entry.checksum };
  throw new PineError('NOT_FOUND_PATH', 'the commit has no such file', {
    expected: 'the path of a file',
    found: found === undefined ? 'nothing' : 'a directory',
    where: path,
    remedy: `\`pinectl ls ${commit} DIRECTORY\` lists what is there`,
  });
}

/** One line; the content is streamed, in base64 of whole groups of three bytes. */
async function* json(
  repository: Repository,
  path: string,
  checksum: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  const { mode, uid, gid, size } = readFileHeader(repository, checksum);
  const facts = JSON.stringify({ path, checksum, mode: `0${mode.toString(8)}`, uid, gid, size });
  yield `${facts.slice(0, -1)},"content":"`;
  let rest: Uint8Array = Buffer.of();
  for await (const piece of content) {
    const bytes = Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % 3);
    rest = bytes.subarray(whole);
    yield bytes.toString('base64', 0, whole);
  }
  yield `${Buffer.from(rest).toString('base64')}"}\n`;
}
