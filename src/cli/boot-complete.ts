import type { Command } from 'commander';
import type { BootOutcome } from '../deploy/boot-complete.ts';
import type { Waiting } from '../deploy/first-trial/waiting.ts';
import { describeTolerated } from '../deploy/health/health-report.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  note,
  openMachine,
} from './machine-options.ts';
import { formatTime, print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .addHelpText(
      'after',
      `
Run once per boot, by the OpenRC service pine-boot-complete. On trial it runs the health checks, then
confirms the deployment or reboots. After a trial that failed it records why and holds the commit.
The first trial after a take-over also waits for a login: run again once there is one (docs/hijack.md).
Once that is settled the data partition fills a disk that has grown.

Examples:
  pinectl boot-complete                                   as the service does
  pinectl boot-complete --disk disk.img --state state/    try it on a disk image: nothing reboots`,
    )
    .action(run);
}

/** Judges this boot, and does what nothing waits for behind it. */
export async function run(options: MachineOptions): Promise<void> {
  const { bootComplete } = await import('../deploy/boot-complete.ts');
  const { readSettings } = await import('../deploy/lenient-configuration.ts');
  const machine = await openMachine(options);
  const { trial, ...settings } = await readSettings(
    machine,
    configurationFolder(machine, options),
    note,
  );
  const outcome = await bootComplete(machine, { ...settings, tries: trial.tries, note });
  print(options.json, outcome, () => describe(outcome));
  if (outcome.kind === 'failed') process.exitCode = 1;
  // Last, as nothing waits for it; and not in front of a reboot or a confirmation, nor without the data partition.
  const settled = outcome.kind !== 'failed' && outcome.kind !== 'waiting';
  if (settled && machine.running.data !== 'degraded') {
    // Only on the machine itself: a disk image file does not grow by itself.
    if (options.disk === undefined) {
      const { growAtBoot } = await import('../deploy/growth/grow-at-boot.ts');
      await growAtBoot(machine, note);
      const { oldSystemAtBoot } = await import('../deploy/old-system/at-boot.ts');
      await oldSystemAtBoot(machine, note);
    }
    const { recordBoot } = await import('../deploy/etc-history/record-etc.ts');
    await recordBoot(machine, { ...settings.etc, note });
  }
}

function describe(outcome: BootOutcome): string {
  switch (outcome.kind) {
    case 'ordinary':
      return 'nothing to do';
    case 'confirmed':
      return ['the trial is confirmed', ...describeTolerated(outcome.checks)].join('\n');
    case 'failed':
      return [
        'the trial failed, rebooting',
        ...outcome.failed.map(({ name, detail }) => `health ${name} failed: ${detail}`),
      ].join('\n');
    case 'waiting':
      return describeWaiting(outcome);
    case 'fell-back':
      return `fell back: ${outcome.reason}${outcome.held ? '; the commit is held' : ''}`;
    case 'recovered':
      return 'the boot loader could not follow its choice: it has a fresh one';
    case 'postponed':
      return 'on trial without its data partition: not judged, and the try is given back';
  }
}

/** What the first trial of a take-over waits for. */
export function describeWaiting({ since, until, confirmAfter }: Waiting): string {
  const end = until === undefined ? '' : ` until ${formatTime(until)}`;
  const allowed =
    confirmAfter === undefined
      ? ''
      : `; without one it is confirmed at ${formatTime(since + confirmAfter)}`;
  return `waiting for a login over SSH${end}${allowed}`;
}
