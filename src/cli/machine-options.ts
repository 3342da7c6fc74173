import type { Command } from 'commander';
import type { Machine } from '../deploy/machine.ts';
import { PineError } from '../error.ts';

/** The options that say which machine is meant. */
export interface MachineOptions {
  readonly disk?: string;
  readonly state?: string;
  readonly running?: string;
  readonly skipped?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds the options of every command that works on a machine. */
export function addMachineOptions(command: Command): Command {
  return command
    .option('--disk <file>', 'work on a disk image file instead of the machine that is booted')
    .option('--state <folder>', 'with --disk: the folder that stands for its data partition')
    .option(
      '--running <deployment>',
      'with --disk: the deployment (or block) that counts as booted',
    )
    .option('--skipped <list>', 'with --disk: what the boot loader would have skipped, as 2:hash')
    .option('--config <folder>', 'read pinectl.toml and keys from here (default: /etc/pine)')
    .option('--json', 'print JSON');
}

/** The machine that the options name. */
export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { disk, state, running, skipped } = options;
  if (disk === undefined && state === undefined) {
    const { bootedMachine } = await import('../deploy/machine-booted.ts');
    return bootedMachine();
  }
  if (disk === undefined || state === undefined) {
    throw new PineError('USAGE_COMMAND_LINE', '--disk and --state belong together', {
      expected: '--disk FILE --state FOLDER',
      found: disk === undefined ? '--state alone' : '--disk alone',
      where: 'the command line',
      remedy: 'give both: the folder stands for the data partition, and may be empty at first',
    });
  }
  await requireDisk(disk, state);
  const { diskImageMachine } = await import('../deploy/machine-disk-image.ts');
  return diskImageMachine({ disk, state, running, skipped });
}

/** Throws NOT_FOUND_FILE, NOT_FOUND_FOLDER. */
async function requireDisk(disk: string, state: string): Promise<void> {
  const { isFolder, requireFile } = await import('./input-file.ts');
  await requireFile(disk, 'a disk image', 'check the path; `pinectl image` makes one');
  const found = await isFolder(state);
  if (found === true) return;
  throw new PineError('NOT_FOUND_FOLDER', 'there is no such folder', {
    expected: 'a folder that stands for the data partition',
    found: found === undefined ? 'nothing' : 'something that is no folder',
    where: state,
    remedy: 'check the path, or make it: it may be empty at first',
  });
}

/** Where pinectl.toml and keys/ of a machine are. */
export function configurationFolder(machine: Machine, options: MachineOptions): string {
  return options.config ?? `${machine.etc}/pine`;
}

/** Tells the user something on stderr, so that stdout stays the result. */
export function note(text: string): void {
  process.stderr.write(`note: ${text}\n`);
}
