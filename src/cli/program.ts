import { Command, type CommanderError } from 'commander';
import { readAsset } from '../asset.ts';
import { PineError } from '../error.ts';

/** What a command's file exports: it adds arguments, options, examples and the action. */
interface CommandModule {
  define(command: Command): void;
}

/** Every command: its name, one line about it, and how its file is loaded. */
const commands: readonly (readonly [string, string, () => Promise<CommandModule>])[] = [
  ['init', 'make an empty repository', () => import('./init.ts')],
  ['commit', 'commit a folder as a root tree', () => import('./commit.ts')],
  ['log', 'show a commit and what came before it', () => import('./log.ts')],
  ['show', 'show a commit with its metadata', () => import('./show.ts')],
  ['ls', 'list what is in a commit', () => import('./ls.ts')],
  ['refs', 'list, create and delete refs', () => import('./refs.ts')],
  ['checkout', 'write a commit into a folder', () => import('./checkout.ts')],
  ['cat', 'print files of a commit', () => import('./cat.ts')],
  ['diff', 'what is different between two commits', () => import('./diff.ts')],
  ['export', 'write a commit as a tar', () => import('./export.ts')],
  ['rev-parse', 'print the checksums of commits', () => import('./rev-parse.ts')],
  ['promote', 'move a ref to a commit that was tried under another', () => import('./promote.ts')],
  ['tag', 'give a commit a name that never moves', () => import('./tag.ts')],
  ['adopt', 'make a commit of ostree one that machines take', () => import('./adopt.ts')],
  ['plan', "make a commit's plan again", () => import('./plan.ts')],
  ['prune', 'remove objects that nothing needs', () => import('./prune.ts')],
  ['pull', 'bring commits of another repository into this one', () => import('./pull.ts')],
  ['summary', 'tell clients over HTTP which refs there are', () => import('./summary.ts')],
  ['serve', 'offer a repository over HTTP, to try things out', () => import('./serve.ts')],
  ['fsck', 'check every object of a repository', () => import('./fsck.ts')],
  ['keys', 'make and show the key pairs that commits are signed with', () => import('./keys.ts')],
  [
    'status',
    'what runs, what is in the slots, and why the last rollback happened',
    () => import('./status.ts'),
  ],
  [
    'upgrade',
    'bring the other slot to what the remote has, and try it',
    () => import('./upgrade.ts'),
  ],
  ['kargs', 'show or change the kernel arguments', () => import('./kargs.ts')],
  ['verify', 'compare the slots with what was signed', () => import('./verify.ts')],
  ['rollback', 'go back to the last confirmed deployment', () => import('./rollback.ts')],
  ['pin', 'keep a deployment from being overwritten', () => import('./pin.ts')],
  ['unpin', 'let a pinned deployment be overwritten again', () => import('./unpin.ts')],
  [
    'boot-complete',
    'judge this boot: confirm a trial or record why it failed',
    () => import('./boot-complete.ts'),
  ],
  ['health', 'run the health checks now', () => import('./health.ts')],
  [
    'finalize-staged',
    'arm what `upgrade --no-reboot` has staged, as a shutdown does',
    () => import('./finalize-staged.ts'),
  ],
  ['image', 'write a disk that boots, or the bare image of a slot', () => import('./image.ts')],
  ['etc', "what of /etc is this machine's own, and its history", () => import('./etc.ts')],
  ['hijack', 'turn a running Debian server into a pine machine', () => import('./hijack.ts')],
  ['state', 'which paths stay when the release changes', () => import('./state.ts')],
  ['history', 'what was armed, confirmed and left', () => import('./history.ts')],
  ['delta', 'make and use deltas between commits', () => import('./delta.ts')],
  ['bundle', 'an update in one file, to carry on a stick', () => import('./bundle.ts')],
];

/**
 * The whole command line. Only the file of the command that `argv` names is loaded: a server with
 * 64 MB pays for what it uses.
 */
export async function buildProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command('pinectl')
    .description('Atomic updates for Alpine-based servers')
    .version(version())
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText('after', '\nExit statuses and error codes: docs/errors.md');
  const wanted = argv.slice(2).find((word) => !word.startsWith('-'));
  // To make all of them takes longer than most of them take to run; help and suggestions name them.
  const isKnown = argv[2] === wanted && commands.some(([name]) => name === wanted);
  for (const [name, summary, load] of commands) {
    if (isKnown && name !== wanted) continue;
    const command = program.command(name).description(summary);
    if (name === wanted) (await load()).define(command);
  }
  settle(program);
  return program;
}

/** `pinectl help delta` is `pinectl delta --help`, as with git. */
export function withHelpOption(argv: readonly string[]): readonly string[] {
  const [node = '', script = '', first, ...rest] = argv;
  return first === 'help' ? [node, script, ...rest, '--help'] : argv;
}

/** Node.js gives what is no UTF-8 as U+FFFD: another name than was meant. Throws USAGE_COMMAND_LINE. */
export function checkArguments(argv: readonly string[]): void {
  const wrong = argv.find((word) => word.includes('\ufffd'));
  if (wrong === undefined) return;
  throw new PineError('USAGE_COMMAND_LINE', 'an argument is not UTF-8', {
    expected: 'names in UTF-8 (names inside of trees may be anything)',
    found: wrong,
    where: 'the command line',
    remedy: 'give the file another name, or a link to it with one',
  });
}

/** Makes commander throw instead of exiting, in every command and subcommand. */
function settle(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const child of command.commands) settle(child);
}

/** Turns what commander throws into an error of ours; `undefined` for --help and --version. */
export function usageError(
  error: CommanderError,
  argv: readonly string[],
  program?: Command,
): PineError | undefined {
  if (error.exitCode === 0 || error.code === 'commander.help') return undefined;
  return new PineError('USAGE_COMMAND_LINE', error.message.replace(/^error: /, ''), {
    expected: 'a command line as --help shows it',
    found: ['pinectl', ...argv.slice(2)].join(' '),
    where: 'the command line',
    remedy: `run \`${['pinectl', ...namesOf(argv, program)].join(' ')} --help\``,
  });
}

/** The command that a command line names, and the one below it: `delta`, `generate`. */
function namesOf(argv: readonly string[], program: Command | undefined): string[] {
  const names: string[] = [];
  let command = program;
  for (const word of argv.slice(2)) {
    command = command?.commands.find((child) => child.name() === word);
    if (command === undefined) break;
    names.push(word);
  }
  return names;
}

function version(): string {
  return String(JSON.parse(readAsset('package.json')).version);
}
