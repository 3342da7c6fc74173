import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { describeTolerated } from '../deploy/health/health-report.ts';
import type { SlotStatus } from '../deploy/slot-status.ts';
import type { Status } from '../deploy/status.ts';
import { PineError } from '../error.ts';
import type { PublicKey } from '../trust/keys.ts';
import { describeWaiting } from './boot-complete.ts';
import { describeConflict } from './conflict-text.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  openMachine,
} from './machine-options.ts';
import { describeOldSystem } from './old-system-text.ts';
import { describeOrigin } from './origin-text.ts';
import { formatBytes, formatTime, print } from './output.ts';
import { describeTakeOver } from './take-over-text.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .option(
      '--prometheus',
      "print metrics for Prometheus, as node_exporter's textfile collector reads",
    )
    .option('--output <file>', 'with --prometheus: replace a file with them at once')
    .addHelpText(
      'after',
      `
Examples:
  pinectl status --json | jq .trial
  pinectl status --prometheus --output /var/lib/node_exporter/pine.prom`,
    )
    .action(run);
}

interface Options extends MachineOptions {
  readonly prometheus?: boolean;
  readonly output?: string;
}

async function run(options: Options): Promise<void> {
  const { prometheus = false, output, json = false } = options;
  if (json && prometheus) throw notTogether('--json and --prometheus', 'one of the two');
  if (output !== undefined && !prometheus) {
    throw notTogether('--output without --prometheus', '--prometheus --output FILE');
  }
  const { readStatus } = await import('../deploy/status.ts');
  const machine = await openMachine(options);
  const { readTrustedKeys } = await import('../trust/key-folder.ts');
  const folder = `${configurationFolder(machine, options)}/keys`;
  const keys: readonly PublicKey[] = await readTrustedKeys(machine.files, folder).catch(() => []);
  const status = await readStatus(machine, keys);
  if (prometheus) {
    const { formatMetrics } = await import('../deploy/metrics/exposition.ts');
    const { statusMetrics } = await import('../deploy/metrics/status-metrics.ts');
    const text = formatMetrics(statusMetrics(status));
    if (output === undefined) return void process.stdout.write(text);
    const { writeMetrics } = await import('../deploy/metrics/write-metrics.ts');
    return writeMetrics(machine.files, resolve(output), text);
  }
  print(options.json, status, () => describe(status));
}

function notTogether(found: string, expected: string): PineError {
  return new PineError('USAGE_COMMAND_LINE', 'these options do not go together', {
    expected,
    found,
    where: 'the command line',
    remedy: 'run `pinectl status --help`',
  });
}

function describe(status: Status): string {
  const { running, trial, staged, lastRollback, writing, held } = status;
  const lines = [`deployment ${running.deployment} runs from slot ${running.slot}`];
  if (trial !== null) lines.push(describeTrial(trial));
  if (status.takeOver !== null)
    lines.push(...describeTakeOver(status.takeOver, running.deployment));
  if (staged !== null) {
    const { deployment, version, slot } = staged;
    const name = version === '' ? '' : ` (${version})`;
    lines.push(`${deployment}${name} is staged in slot ${slot}: a reboot arms it`);
  }
  if (!status.choiceReadable) lines.push('the boot choice is damaged: run `pinectl boot-complete`');
  if (running.data !== 'ok') lines.push(`data partition ${running.data}: ${running.dataDetail}`);
  for (const slot of status.slots) lines.push(...describeSlot(slot));
  if (lastRollback !== null) {
    const { time, kind, deployment, version, reason } = lastRollback;
    const what = `${deployment}${version === '' ? '' : ` (${version})`}`;
    lines.push(`${formatTime(time)} ${kind.replace('-', ' ')} from ${what}: ${reason}`);
  }
  if (status.health?.deployment === running.deployment) {
    lines.push(...describeTolerated(status.health.checks));
  }
  for (const { name, detail } of status.failedHooks) lines.push(`hook ${name} failed: ${detail}`);
  if (status.automatic !== null) {
    const { time, kind, detail } = status.automatic;
    lines.push(`unattended upgrade of ${formatTime(time)}: ${kind}: ${detail}`);
  }
  for (const { deployment, slot, since } of status.pinned) {
    const where = slot === undefined ? 'which is gone' : `in slot ${slot}`;
    lines.push(`pinned: ${deployment}, ${where}, since ${formatTime(since)}`);
  }
  if (status.pinsLost)
    lines.push('pins.json is damaged: no slot is overwritten (pinectl unpin --all)');
  if (status.oldSystem !== null) lines.push(...describeOldSystem(status.oldSystem));
  for (const { commit, reason } of held) lines.push(`held: ${commit.slice(0, 12)}: ${reason}`);
  if (writing !== null) {
    const { commit, slot, durable, size } = writing;
    const done = `${formatBytes(durable)} of ${formatBytes(size)}`;
    lines.push(`unfinished: ${commit.slice(0, 12)} into slot ${slot}, ${done} durable`);
  }
  lines.push(...status.conflicts.map(describeConflict));
  if (status.stateLost) lines.push('state.json is damaged: history and held commits are lost');
  return lines.join('\n');
}

function describeTrial({
  deployment,
  tries,
  state,
  waiting,
}: NonNullable<Status['trial']>): string {
  if (waiting !== null) {
    const then = tries === 0 ? 'the old system comes back' : `it has ${tries} more tries`;
    const otherwise = waiting.confirmAfter === undefined ? `, then ${then}` : '';
    return `it is on trial: ${describeWaiting(waiting)}${otherwise}`;
  }
  if (state === 'running') return `it is on trial; tries left after this one: ${tries}`;
  if (state === 'armed')
    return `${deployment} is armed: the next boot is its trial (${tries} tries)`;
  return `the trial of ${deployment} failed; boot-complete has yet to record why`;
}

function describeSlot({ slot, running, deployments, contents, problem }: SlotStatus): string[] {
  const states = deployments
    .map(({ id, state, pinned }) => `${id} (${state}${pinned ? ', pinned' : ''})`)
    .join(', ');
  const head = `slot ${slot}${running ? ', running' : ''}: ${states || 'boots nothing'}`;
  if (contents === undefined) return [head, `  ${problem}`];
  const { commit, version, timestamp, imageSize, imageSha256, origin } = contents;
  return [
    head,
    `  version   ${version || 'not named'}, of ${formatTime(timestamp)}`,
    `  commit    ${commit}`,
    `  image     ${formatBytes(imageSize)}, SHA-256 ${imageSha256}`,
    `  signed    ${describeSignature(contents)}`,
    origin === null
      ? '  came      with the installation, or before that was recorded'
      : `  came      ${formatTime(origin.time)} ${describeOrigin(origin)}`,
  ];
}

function describeSignature({ signedBy, origin }: NonNullable<SlotStatus['contents']>): string {
  if (signedBy !== null) return `by ${basename(signedBy)}`;
  const then = origin === null ? '' : `; when it came: by ${origin.signedBy}`;
  return `by no key that is trusted${then}`;
}
