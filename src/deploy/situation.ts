import type { BootChoice } from '../boot/choice.ts';
import { PineError } from '../error.ts';
import { type Numbered, readDeployments } from './deployments.ts';
import type { Machine } from './machine.ts';
import { settledFile } from './paths.ts';
import { readPins } from './pins/pin-file.ts';
import type { Pins } from './pins/pins.ts';
import { describeChoice } from './refusals.ts';
import type { MachineState } from './state.ts';
import { readState } from './state-files.ts';

/** What is known about a machine before anything is decided. */
export interface Situation {
  /** `undefined` when it is damaged. */
  readonly choice: BootChoice | undefined;
  /** Every argument block that could be read, listed in the choice or not. */
  readonly deployments: readonly Numbered[];
  readonly state: MachineState;
  /** state.json was damaged, and what it said is lost. */
  readonly stateLost: boolean;
  readonly pins: Pins;
  /** What the boot loader skipped at this boot has been dealt with. */
  readonly settled: boolean;
}

/** Reads the boot choice, the argument blocks and pine's own state. Writes nothing. */
export async function readSituation(machine: Machine): Promise<Situation> {
  const { value: state, note } = await readState(machine);
  return {
    choice: await machine.bootLoader.readChoice(),
    deployments: await readDeployments(machine.bootLoader),
    state,
    stateLost: note !== undefined,
    pins: await readPins(machine),
    settled: (await machine.files.status(settledFile(machine))) !== undefined,
  };
}

/** The deployment that is booted, if its argument block says so. */
export function runningDeployment(
  machine: Pick<Machine, 'running'>,
  deployments: readonly Numbered[],
): Numbered | undefined {
  return deployments.find(
    ({ block, slot, id }) =>
      block === machine.running.block &&
      slot === machine.running.slot &&
      id === machine.running.deployment,
  );
}

/** The deployment that the choice has on trial. */
export function trialDeployment({
  choice,
  deployments,
}: Pick<Situation, 'choice' | 'deployments'>): Numbered | undefined {
  return deployments.find(({ block }) => block === choice?.trial?.block);
}

/**
 * Whether the trial has failed: something else runs, and the boot loader would not start it again
 * or did not at this boot. A trial that is armed and waits for its first boot has not.
 */
export function hasFallenBack(
  machine: Pick<Machine, 'running'>,
  { choice, settled }: Pick<Situation, 'choice' | 'settled'>,
): boolean {
  const trial = choice?.trial;
  const { block } = machine.running;
  if (trial === undefined || block === undefined || trial.block === block) return false;
  const skipped = machine.running.skipped.some(({ block }) => block === trial.block);
  return trial.tries === 0 || (skipped && !settled);
}

/** The deployment that is armed and waits for its first boot. */
export function armedDeployment(
  machine: Pick<Machine, 'running'>,
  situation: Pick<Situation, 'choice' | 'deployments' | 'settled'>,
): Numbered | undefined {
  const trial = trialDeployment(situation);
  const waits = trial?.block !== machine.running.block && !hasFallenBack(machine, situation);
  return waits ? trial : undefined;
}

/** Notes that what this boot skipped is dealt with: a choice written from now on is a new one. */
export async function markSettled(machine: Machine): Promise<void> {
  await machine.files.makeFolder(machine.volatile, 0o755);
  await machine.files.writeFile(settledFile(machine), new Uint8Array(), 0o644);
}

/** Throws STATE_EMERGENCY when the boot loader could not follow its choice and nobody has mended it yet. */
export function refuseEmergency(
  { running }: Pick<Machine, 'running'>,
  { choice, settled }: Pick<Situation, 'choice' | 'settled'>,
): void {
  if (running.choice !== 'emergency' || settled) return;
  throw new PineError('STATE_EMERGENCY', 'the boot loader could not follow its choice', {
    expected: 'a boot choice that led to what runs',
    found: describeChoice(choice),
    where: 'the boot choice',
    remedy: 'run `pinectl boot-complete`: it writes a fresh one for the running deployment',
  });
}

/** S11: whoever makes a deployment needs the data partition: for its state, and for the /etc that goes along. */
export function refuseDegraded({ running, data }: Pick<Machine, 'running' | 'data'>): void {
  if (running.data !== 'degraded') return;
  throw new PineError('STATE_DEGRADED', 'the machine runs without its data partition', {
    expected: 'a data partition that is mounted',
    found: running.dataDetail || 'none',
    where: data,
    remedy: 'repair the data partition and reboot',
  });
}
