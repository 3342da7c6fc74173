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

const largestLayout = 64 * 1024;

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
  const source = await commitSource(options);
  const facts = await surveyHost(nodeHost);
  const commit = source === undefined ? undefined : await readCommit(source, facts);
  const preflight = judge(facts, { commit, layouts, wantedDisk: options.disk });
  const { describePreflight } = await import('./hijack-text.ts');
  print(options.json, await toJson(facts, commit, preflight), () =>
    describePreflight(facts, commit, preflight),
  );
  const [first, ...others] = preflight.refusals;
  if (first === undefined) return;
  // All of them are in what was printed; the exit status is that of the first.
  if (others.length > 0 && !options.json) {
    process.stderr.write(`${preflight.refusals.length} things are in the way, the first:\n`);
  }
  throw first;
}

async function readLayouts(path: string | undefined) {
  const { parseLayout } = await import('../disk/layout.ts');
  if (path !== undefined) {
    const { readText } = await import('./new-commit.ts');
    return [parseLayout(await readText(path, largestLayout), path)];
  }
  const { readAsset } = await import('../asset.ts');
  return [
    parseLayout(readAsset('layouts/vm.cfg'), 'vm.cfg'),
    parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg'),
  ];
}

/** Where the commit is, and the keys it must be signed with; nothing when none is named. */
interface CommitSource {
  readonly remote: string;
  readonly ref: string;
  readonly keys: readonly PublicKey[];
}

async function commitSource(options: Options): Promise<CommitSource | undefined> {
  const { remote, ref, key: paths = [] } = options;
  if (remote === undefined && ref === undefined && paths.length === 0) return undefined;
  if (remote === undefined || ref === undefined || paths.length === 0) {
    throw usage('--remote URL --ref REF --key FILE, all three or none', 'some of them');
  }
  const { keyFileLimit, parsePublicKey } = await import('../trust/key-file.ts');
  const { readText } = await import('./new-commit.ts');
  const keys: PublicKey[] = [];
  for (const path of paths) keys.push(parsePublicKey(await readText(path, keyFileLimit), path));
  return { remote, ref, keys };
}

async function readCommit(source: CommitSource, facts: HostFacts): Promise<CommitFacts> {
  const { openSource } = await import('../remote/open-source.ts');
  const { RemoteRepository } = await import('../remote/remote-repository.ts');
  const { readCommitFacts } = await import('../install/hijack/commit-facts.ts');
  const repository = new RemoteRepository(await openSource(source.remote));
  try {
    return await readCommitFacts(repository, source.ref, source.keys, facts.devices);
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

function usage(expected: string, found: string): PineError {
  return new PineError('USAGE_COMMAND_LINE', 'this is not a command line of hijack', {
    expected,
    found,
    where: 'the command line',
    remedy: 'run `pinectl hijack --help`',
  });
}
