import type { Host } from '../install/hijack/host.ts';
import { print } from './output.ts';

/** Tells on the old system how far a take-over is, and why it came back. */
export async function tellStatus(host: Host, json?: boolean): Promise<void> {
  const { readTakeOverStatus } = await import('../install/hijack/take-over/read-status.ts');
  const { describeTakeOverStatus } = await import('./hijack-status-text.ts');
  const status = await readTakeOverStatus(host);
  print(json, status, () => describeTakeOverStatus(status));
}

/** Confirms the first trial of a take-over, on the new system. */
export async function confirm(json?: boolean): Promise<void> {
  const { bootedMachine } = await import('../deploy/machine-booted.ts');
  const { letInByHand } = await import('../deploy/first-trial/let-in.ts');
  const { readWaiting } = await import('../deploy/first-trial/waiting.ts');
  const { requireFirstTrial } = await import('../deploy/first-trial/take-over.ts');
  const machine = await bootedMachine();
  await requireFirstTrial(machine);
  await letInByHand(machine);
  if ((await readWaiting(machine)) !== undefined) {
    return (await import('./boot-complete.ts')).run({ ...(json && { json }) });
  }
  print(json, { kind: 'noted' }, () => 'It is confirmed as soon as its health checks have passed');
}
