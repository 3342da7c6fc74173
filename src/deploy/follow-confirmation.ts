import { readAttempts } from './attempts.ts';
import { removeDurably } from './durable-file.ts';
import { describeEarlier } from './fall-back.ts';
import { letInBy } from './first-trial/let-in.ts';
import { keepTakeOver } from './first-trial/take-over.ts';
import { describeTolerated, readHealthReport } from './health/health-report.ts';
import type { Machine } from './machine.ts';
import { attemptsFile } from './paths.ts';
import { writeRescueCopy } from './rescue-copy.ts';
import { retireBlocks } from './retire-blocks.ts';
import { addOnce, describeEvent } from './settle.ts';
import { readSituation, runningDeployment } from './situation.ts';
import { withoutHold } from './state.ts';
import { writeState } from './state-files.ts';
import { isSystemError } from './trial-log.ts';

/**
 * What follows a confirmation, and what an ordinary boot makes good if that was cut or the disk was full (S7): the
 * history, the trial's log, blocks that nothing may boot, the rescue copy. Writes only what is not as it should be.
 */
export async function followConfirmation(
  machine: Machine,
  when: 'now' | 'made good',
  note: (text: string) => void,
): Promise<void> {
  try {
    await record(machine, when);
    await keepTakeOver(machine);
    await removeDurably(machine.files, attemptsFile(machine, machine.running.deployment));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    note(`the confirmation is not in the history yet: ${error.message}`);
  }
  await retireBlocks(machine, await readSituation(machine));
  // After a repair files may be missing: the copy that there is may be the better one.
  if (machine.running.data !== 'ok') return;
  try {
    for (const path of await writeRescueCopy(machine)) note(`no room in the rescue copy: ${path}`);
  } catch (error) {
    note(`the rescue copy was not written: ${error instanceof Error ? error.message : error}`);
  }
}

async function record(machine: Machine, when: 'now' | 'made good'): Promise<void> {
  const { choice, state, deployments } = await readSituation(machine);
  const own = runningDeployment(machine, deployments);
  // Left by a rollback since then: that is the last word.
  if (own === undefined || !choice?.order.includes(own.block)) return;
  const last = state.history.findLast((event) => event.deployment === own.id);
  // The history may be lost, or say that a rollback was begun: what is confirmed now is confirmed all the same.
  if (when === 'made good' && last?.kind !== 'armed') return;
  const report = await readHealthReport(machine);
  const told = report?.deployment === own.id ? describeTolerated(report.checks) : [];
  const attempts = await readAttempts(machine.files, attemptsFile(machine, own.id));
  const by = letInBy(attempts);
  const confirmed = by === undefined ? [] : [`confirmed by ${by}`];
  const reason = [...confirmed, ...describeEarlier(attempts), ...told].join('; ');
  const event = await describeEvent(machine, own, 'confirmed', reason);
  await writeState(machine, addOnce(withoutHold(state, own.commit), event));
}
