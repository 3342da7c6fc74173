import type { Command } from 'commander';
import type { CheckOutcome } from '../deploy/health/health-check.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  openMachine,
} from './machine-options.ts';
import { print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .option('--list', 'say which checks there are, and run none')
    .addHelpText(
      'after',
      `
Runs every health check as after an upgrade, and changes nothing: to try a new check, or to see whether
the machine is well. Exits with 1 when a required one fails.

Examples:
  pinectl health
  pinectl health --list --json`,
    )
    .action(run);
}

async function run(options: MachineOptions & { readonly list?: boolean }): Promise<void> {
  const { readConfiguration } = await import('../deploy/configuration.ts');
  const { allChecks } = await import('../deploy/health/all-checks.ts');
  const { runChecks } = await import('../deploy/health/health-check.ts');
  const machine = await openMachine(options);
  const { health } = await readConfiguration(machine.files, configurationFolder(machine, options));
  const checks = await allChecks(machine, health);
  if (options.list) {
    const listed = checks.map(({ name, severity, timeout }) => ({ name, severity, timeout }));
    print(options.json, listed, () =>
      listed
        .map(({ name, severity, timeout }) => `${severity.padEnd(8)}  ${timeout} s  ${name}`)
        .join('\n'),
    );
    return;
  }
  const outcomes = await runChecks(checks);
  print(options.json, outcomes, () => outcomes.map(describe).join('\n'));
  const failed = outcomes.some(({ passed, severity }) => !passed && severity === 'required');
  if (failed) process.exitCode = 1;
}

function describe({ name, severity, passed, detail }: CheckOutcome): string {
  return `${passed ? 'passed' : 'FAILED'}  ${severity.padEnd(8)}  ${name}: ${detail}`;
}
