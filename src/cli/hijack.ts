import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { PineError } from '../error.ts';
import type { CommitFacts } from '../install/hijack/commit-facts.ts';
import type { Preflight } from '../install/hijack/preflight.ts';
import type { HostFacts } from '../install/hijack/survey.ts';
import type { PublicKey } from '../trust/keys.ts';
import { collect } from './commit-options.ts';
import { print } from './output.ts';

interface Options {
  readonly check?: boolean;
  readonly remote?: string;
  readonly ref?: string;
  readonly key?: readonly string[];
  readonly layout?: string;
  readonly disk?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .option('--check', 'look whether this machine can be taken over, and change nothing')
    .option('--remote <url>', 'the repository: a URL or a path')
    .option('--ref <ref>', 'the ref that the machine is to follow')
    .option('--key <file>', 'a .pub file that the commit must be signed with (repeatable)', collect)
    .option('--layout <file>', "the layout.cfg for pine's partitions (default: one that fits)")
    .option('--disk <device>', 'the disk, to be sure: any but the one that runs is refused')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Only --check exists: the take-over itself does not yet. Without --remote, --ref and --key nothing is
said of a commit: neither its size nor its drivers. The exit status is 0 when nothing is in the way.

Examples:
  ./pinectl-linux-x64 hijack --check
  ./pinectl-linux-x64 hijack --check --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub
  ./pinectl-linux-x64 hijack --check --json | jq .refusals

More: docs/hijack.md`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  if (options.check !== true) {
    throw usage('--check: the take-over itself does not exist yet', 'no --check');
  }
  const { surveyHost } = await import('../install/hijack/survey.ts');
  const { nodeHost } = await import('../install/hijack/node-host.ts');
  const { judge } = await import('../install/hijack/preflight.ts');
  const layouts = await readLayouts(options.layout);
  const facts = await surveyHost(nodeHost);
  const commit = await readCommit(options, facts);
  const preflight = judge(facts, { commit, layouts, wantedDisk: options.disk });
  const { describePreflight } = await import('./hijack-text.ts');
  print(options.json, await toJson(facts, commit, preflight), () =>
    describePreflight(facts, commit, preflight),
  );
  const [first, ...others] = preflight.refusals;
  if (first === undefined) return;
  // All of them are in what was printed; the exit status is that of the first.
  if (others.length > 0)
    process.stderr.write(`${preflight.refusals.length} things are in the way\n`);
  throw first;
}

async function readLayouts(path: string | undefined) {
  const { parseLayout } = await import('../disk/layout.ts');
  if (path !== undefined) return [parseLayout(await readFile(path, 'utf8'), path)];
  const { readAsset } = await import('../asset.ts');
  return [
    parseLayout(readAsset('layouts/vm.cfg'), 'vm.cfg'),
    parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg'),
  ];
}

/** What --remote and --ref name, once --key says that it may be looked at; nothing without them. */
async function readCommit(options: Options, facts: HostFacts): Promise<CommitFacts | undefined> {
  const { remote, ref, key: paths = [] } = options;
  if (remote === undefined && ref === undefined && paths.length === 0) return undefined;
  if (remote === undefined || ref === undefined || paths.length === 0) {
    throw usage('--remote URL --ref REF --key FILE, all three or none', 'some of them');
  }
  const { openSource } = await import('../remote/open-source.ts');
  const { RemoteRepository } = await import('../remote/remote-repository.ts');
  const { readCommitFacts } = await import('../install/hijack/commit-facts.ts');
  const { keyFileLimit, parsePublicKey } = await import('../trust/key-file.ts');
  const { nodeFileSystem } = await import('../ports/node-file-system.ts');
  const keys: PublicKey[] = [];
  for (const path of paths) {
    const bytes = await nodeFileSystem.readFile(path, keyFileLimit);
    if (bytes === undefined) throw noKeyFile(path);
    keys.push(parsePublicKey(bytes.toString('utf8'), path));
  }
  const repository = new RemoteRepository(await openSource(remote));
  try {
    return await readCommitFacts(repository, ref, keys, facts.devices);
  } finally {
    await repository.close();
  }
}

/** Everything that was found out, and what /etc will have of it. */
async function toJson(facts: HostFacts, commit: CommitFacts | undefined, preflight: Preflight) {
  const { writeInterfaces, writeMacTab, writeResolvConf } = await import(
    '../install/hijack/network/interfaces-file.ts'
  );
  const { network } = facts.network;
  const files = {
    '/etc/network/interfaces': writeInterfaces(network),
    '/etc/mactab': writeMacTab(network),
    '/etc/resolv.conf': writeResolvConf(network),
  };
  return { possible: preflight.refusals.length === 0, ...preflight, commit, facts, files };
}

function noKeyFile(path: string): PineError {
  return new PineError('NOT_FOUND_FILE', 'the key is not there', {
    expected: 'a .pub file',
    found: 'no such file',
    where: path,
    remedy: 'check the path; `pinectl keys show` prints the public key of a pair',
  });
}

function usage(expected: string, found: string): PineError {
  return new PineError('USAGE_COMMAND_LINE', 'this is not a command line of hijack', {
    expected,
    found,
    where: 'the command line',
    remedy: 'run `pinectl hijack --help`',
  });
}
