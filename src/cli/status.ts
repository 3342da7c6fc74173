import { basename } from 'node:path';
import type { Command } from 'commander';
import { describeTolerated } from '../deploy/health/health-report.ts';
import type { SlotStatus, Status } from '../deploy/status.ts';
import type { PublicKey } from '../trust/keys.ts';
import { describeConflict } from './conflict-text.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  openMachine,
} from './machine-options.ts';
import { describeOrigin } from './origin-text.ts';
import { formatBytes, formatTime, print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .addHelpText('after', '\nExample:\n  pinectl status --json | jq .trial')
    .action(run);
}

async function run(options: MachineOptions): Promise<void> {
  const { readStatus } = await import('../deploy/status.ts');
  const machine = await openMachine(options);
  const { readTrustedKeys } = await import('../trust/key-folder.ts');
  const folder = `${configurationFolder(machine, options)}/keys`;
  const keys: readonly PublicKey[] = await readTrustedKeys(machine.files, folder).catch(() => []);
  const status = await readStatus(machine, keys);
  print(options.json, status, () => describe(status));
}

function describe(status: Status): string {
  const { running, trial, staged, lastRollback, writing, held } = status;
  const lines = [`deployment ${running.deployment} runs from slot ${running.slot}`];
  if (trial !== null) lines.push(describeTrial(trial));
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

function describeTrial({ deployment, tries, state }: NonNullable<Status['trial']>): string {
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
