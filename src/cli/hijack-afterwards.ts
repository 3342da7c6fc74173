import { print } from './output.ts';

/** Takes a take-over away that was prepared and not started. */
export async function cancel(json?: boolean): Promise<void> {
  const { nodeHost } = await import('../install/hijack/node-host.ts');
  const { cancelTakeOver } = await import('../install/hijack/take-over/activate.ts');
  const canceled = await cancelTakeOver(nodeHost);
  print(json, { canceled }, () =>
    canceled ? 'The take-over is taken away: the next boot is an ordinary one' : 'None is staged',
  );
}

/** Tells on the old system how far a take-over is, and why it came back. */
export async function tellStatus(json?: boolean): Promise<void> {
  const { nodeHost } = await import('../install/hijack/node-host.ts');
  const { readTakeOverStatus } = await import('../install/hijack/take-over/read-status.ts');
  const { describeTakeOverStatus } = await import('./hijack-status-text.ts');
  const status = await readTakeOverStatus(nodeHost);
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
