import type { Command } from 'commander';
import type { SlotName } from '../boot/choice.ts';
import type { Machine } from '../deploy/machine.ts';
import type { RepairOutcome } from '../deploy/verify/repair.ts';
import type { SlotVerdict, VerifyOptions } from '../deploy/verify/verify-slot.ts';
import { PineError } from '../error.ts';
import type { RemoteRepository } from '../remote/remote-repository.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  note,
  openMachine,
} from './machine-options.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';

interface Options extends MachineOptions {
  readonly slot?: SlotName;
  readonly repair?: boolean;
}

export function define(command: Command): void {
  addMachineOptions(command)
    .addOption(
      command
        .createOption(
          '--slot <slot>',
          'only slot a or b; by default what runs, and the other if it may boot',
        )
        .choices(['a', 'b']),
    )
    .option('--repair', 'write the other slot again, with what it held, if it is damaged')
    .addHelpText(
      'after',
      `
Reads every byte of a slot's image from the medium and compares it with what a trusted key signed.
What is damaged is named by its files. The running slot is never written: if it is damaged, go to
the other one (\`pinectl rollback\`) and repair it from there.

Exit status: 0 if all is whole, 4 if something is damaged, 5 if no trusted key signed it.

Examples:
  pinectl verify
  pinectl verify --slot b --json
  pinectl verify --repair`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const machine = await openMachine(options);
  const folder = configurationFolder(machine, options);
  const { readTrustedKeys } = await import('../trust/key-folder.ts');
  const keys = await readTrustedKeys(machine.files, `${folder}/keys`);
  const remote = await openRemote(machine, folder);
  const progress = terminalProgress();
  const common: VerifyOptions = { keys, remote, progress: progress.report };
  try {
    if (options.repair) {
      const { repairOtherSlot } = await import('../deploy/verify/repair.ts');
      const outcome = await repairOtherSlot(machine, { ...common, note });
      progress.end();
      print(options.json, outcome, () => describeRepair(outcome));
      setStatus([outcome.after ?? outcome.before]);
      return;
    }
    const { verifyWholeSlot } = await import('../deploy/verify/verify-slot.ts');
    const verdicts: SlotVerdict[] = [];
    for (const slot of await slotsToVerify(machine, options.slot)) {
      verdicts.push(await verifyWholeSlot(machine, slot, common));
    }
    progress.end();
    print(options.json, verdicts, () => verdicts.flatMap(describeVerdict).join('\n'));
    setStatus(verdicts);
  } finally {
    progress.end();
    await remote?.close();
  }
}

/** A slot that boots nothing, such as one that is being written, is verified only when it is asked for. */
async function slotsToVerify(machine: Machine, wanted: SlotName | undefined): Promise<SlotName[]> {
  if (wanted !== undefined) return [wanted];
  const { readSituation } = await import('../deploy/situation.ts');
  const { choice, deployments } = await readSituation(machine);
  const { slot: running } = machine.running;
  const other = deployments.find(
    ({ block, slot }) => slot !== running && choice?.order.includes(block),
  );
  return other === undefined ? [running] : [running, other.slot];
}

/** The machine's remote, if it has one that can be used: most of a verification needs none. */
async function openRemote(machine: Machine, folder: string): Promise<RemoteRepository | undefined> {
  const { readConfiguration } = await import('../deploy/configuration.ts');
  const { openSource } = await import('../remote/open-source.ts');
  const { RemoteRepository } = await import('../remote/remote-repository.ts');
  try {
    const { remote } = await readConfiguration(machine.files, folder);
    return new RemoteRepository(await openSource(remote));
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    note(`no remote: ${error.message}`);
    return undefined;
  }
}

function setStatus(verdicts: readonly SlotVerdict[]): void {
  if (verdicts.some(({ result }) => result === 'damaged' || result === 'unreadable')) {
    process.exitCode = 4;
  } else if (verdicts.some(({ result }) => result === 'unsigned')) {
    process.exitCode = 5;
  }
}

function describeVerdict(verdict: SlotVerdict): string[] {
  const { slot, running, result, commit, version, signedBy, imageSize, detail } = verdict;
  const name = version === '' ? commit.slice(0, 12) : `${version} (${commit.slice(0, 12)})`;
  const head = `slot ${slot}${running ? ', running' : ''}: ${result}`;
  if (result === 'whole')
    return [`${head}: ${name}, ${formatBytes(imageSize)}, signed by ${signedBy}`];
  const lines = [`${head}${commit === '' ? '' : `: ${name}`}`];
  if (detail !== '') lines.push(`  ${detail}`);
  for (const { position, length, paths, object, unreadable } of verdict.damage) {
    const what = unreadable ? 'can not be read' : 'is not what was signed';
    const where = `${formatBytes(length)} at byte ${position}`;
    const names = object === undefined ? ["the image's own tables"] : paths;
    for (const path of names) lines.push(`  ${path} ${what} (${where})`);
  }
  if (result === 'unsigned') return lines;
  lines.push(
    running
      ? '  it is running and not written: `pinectl rollback`, then `pinectl verify --repair` or `pinectl upgrade`'
      : '  to write it again: pinectl verify --repair',
  );
  return lines;
}

function describeRepair({ before, after }: RepairOutcome): string {
  if (after === undefined) return describeVerdict(before).join('\n');
  return [
    ...describeVerdict(before).slice(0, -1),
    'it was written again',
    ...describeVerdict(after),
  ].join('\n');
}
