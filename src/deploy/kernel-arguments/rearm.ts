import type { Deployment } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import { fingerprintEtc } from '../../etc/fingerprint.ts';
import type { HookSettings } from '../hooks/run-hooks.ts';
import type { Machine } from '../machine.ts';
import { argumentsEtcFile } from '../paths.ts';
import { armedDeployment, runningDeployment, type Situation } from '../situation.ts';
import { runSteps } from '../upgrade/steps.ts';
import { tidy } from '../upgrade/tidy.ts';
import { changeSteps } from './change-steps.ts';
import { changeWork } from './change-work.ts';

/** Notes what /etc was when a change was armed whose reboot is left to somebody. It is forgotten at a reboot. */
export async function noteEtc(machine: Machine, fingerprint: string): Promise<void> {
  await machine.files.makeFolder(machine.volatile, 0o755);
  await machine.files.writeFile(argumentsEtcFile(machine), Buffer.from(fingerprint), 0o644);
}

/**
 * S8: when the machine goes down, arms a change of arguments that waits for that once more if /etc was edited since: the
 * same arguments, with /etc as it is now, in one write of the boot choice (S3). Returns the new deployment.
 */
export async function rearmArguments(
  machine: Machine,
  situation: Situation,
  { hooks, note }: { readonly hooks: HookSettings; readonly note: (text: string) => void },
): Promise<Deployment | undefined> {
  const { choice, deployments, state } = situation;
  if (machine.running.choice === 'emergency' || machine.running.data === 'degraded')
    return undefined;
  const armed = armedDeployment(machine, situation);
  const own = runningDeployment(machine, deployments);
  if (armed === undefined || own === undefined || armed.slot !== own.slot) return undefined;
  const before = await machine.files.readFile(argumentsEtcFile(machine), 100);
  if (before === undefined) return undefined;
  const after = await fingerprintEtc(machine.files, machine.etc);
  if (before.toString() === after) return undefined;
  const { baseline } = state;
  const work = await changeWork(machine, situation, own, {
    ...{ kernelArguments: armed.kernelArguments, hooks, note },
    tries: choice?.trial?.tries ?? 1,
    failing: baseline?.deployment === armed.id ? baseline.failing : [],
  }).catch((error) => {
    if (!(error instanceof PineError) || error.code !== 'STATE_NO_BLOCK') throw error;
    note(`${error.message}: ${armed.id} starts with /etc as it was when it was armed`);
    return undefined;
  });
  if (work === undefined) return undefined;
  await runSteps(changeSteps, work);
  await noteEtc(machine, after);
  await tidy(machine);
  return work.deployment;
}
