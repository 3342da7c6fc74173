import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { metadataValue } from '../repo/commit-object.ts';
import { signaturesOf } from '../repo/detached-metadata.ts';
import { printVariant } from '../repo/gvariant/print.ts';
import type { Dictionary } from '../repo/gvariant/variant.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { commitJson, commitText } from './commit-text.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly printMetadataKey?: string;
  readonly printDetachedMetadataKey?: string;
}

/** `pinectl show`: one commit with its metadata. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .option('--print-metadata-key <key>', 'only the value of this key')
    .option('--print-detached-metadata-key <key>', 'the same, of what lies beside the commit')
    .addHelpText(
      'after',
      `
Examples:
  pinectl show --repo repo alpine/x86_64/web
  pinectl show --repo repo --print-metadata-key=pine.image.1 alpine/x86_64/web`,
    )
    .action(show);
}

async function show(name: string, options: Options): Promise<void> {
  const repository = await openRepository(options);
  const checksum = await resolveCommit(repository, name);
  const commit = await repository.readCommit(checksum);
  const detached = await repository.readDetachedMetadata(checksum);
  const { printMetadataKey: key, printDetachedMetadataKey: detachedKey } = options;
  if (key !== undefined) return printKey(options, commit.metadata, key);
  if (detachedKey !== undefined) return printKey(options, detached, detachedKey);
  const signatures = signaturesOf(detached).map((each) => Buffer.from(each).toString('hex'));
  print(options.json, { ...commitJson(checksum, commit), signatures }, () =>
    [
      commitText(checksum, commit),
      'Metadata:',
      ...commit.metadata.map(([name, value]) => `    ${name}: ${printVariant(value)}`),
      `Signatures: ${signatures.length}`,
    ].join('\n'),
  );
}

function printKey(options: Options, metadata: Dictionary, key: string): void {
  const found = metadataValue(metadata, key);
  if (found === undefined) {
    throw new PineError('NOT_FOUND_METADATA_KEY', `there is no metadata key ${key}`, {
      expected: metadata.map(([name]) => name).join(', ') || 'no key at all',
      found: key,
      where: 'the commit',
      remedy: '`pinectl show COMMIT` lists the keys',
    });
  }
  print(options.json, { [key]: printVariant(found) }, () => printVariant(found));
}
