import type { Command } from 'commander';
import type { ChangeOutcome } from '../deploy/kernel-arguments/change.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  note,
  openMachine,
} from './machine-options.ts';
import { print } from './output.ts';

interface Options extends MachineOptions {
  readonly append: readonly string[];
  readonly appendIfMissing: readonly string[];
  readonly delete: readonly string[];
  readonly deleteIfPresent: readonly string[];
  readonly replace: readonly string[];
  readonly reboot: boolean;
}

const collect = (word: string, words: readonly string[]) => [...words, word];

export function define(command: Command): void {
  addMachineOptions(command)
    .option('--append <word>', 'add NAME or NAME=VALUE at the end', collect, [])
    .option('--append-if-missing <word>', 'add it unless the same word is there', collect, [])
    .option('--delete <word>', 'take NAME out, or NAME=VALUE where there are several', collect, [])
    .option('--delete-if-present <word>', 'take it out if it is there', collect, [])
    .option('--replace <word>', 'NAME=VALUE, or NAME=OLD=NEW where there are several', collect, [])
    .option('--no-reboot', 'arm the changed deployment, and leave the reboot to you')
    .addHelpText(
      'after',
      `
Without an edit it prints the kernel arguments of the deployment that boots next. An edit makes a
new deployment of the same image and reboots into its trial; the unchanged one is what it falls
back to. What can't be set: docs/kernel-arguments.md

Examples:
  pinectl kargs
  pinectl kargs --append=console=ttyS1,115200 --delete=quiet
  pinectl kargs --replace=mitigations=off --no-reboot`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { isEmptyEdit } = await import('../deploy/kernel-arguments/edit.ts');
  const { changeArguments, nextArguments } = await import('../deploy/kernel-arguments/change.ts');
  const machine = await openMachine(options);
  const { append, appendIfMissing, delete: deleted, deleteIfPresent, replace } = options;
  const edit = { append, appendIfMissing, delete: deleted, deleteIfPresent, replace };
  if (isEmptyEdit(edit)) {
    const { readSituation } = await import('../deploy/situation.ts');
    const next = nextArguments(machine, await readSituation(machine));
    if (next.armed)
      note(`deployment ${next.deployment} is armed: it has these from the next boot on`);
    print(options.json, next, () => next.arguments);
    return;
  }
  const { readSettings } = await import('../deploy/lenient-configuration.ts');
  const settings = await readSettings(machine, configurationFolder(machine, options), note);
  const outcome = await changeArguments(machine, {
    ...settings,
    edit,
    reboot: options.reboot,
    note,
  });
  print(options.json, outcome, () => describe(outcome));
}

function describe(outcome: ChangeOutcome): string {
  if (outcome.kind === 'unchanged') return `unchanged: ${outcome.arguments}`;
  const { deployment, arguments: words, before, rebooting } = outcome;
  return [
    `before: ${before}`,
    `after:  ${words}`,
    `deployment ${deployment}: ${rebooting ? 'rebooting into its trial' : 'the next boot is its trial'}`,
  ].join('\n');
}
