import type { Machine } from '../machine.ts';
import { readState } from '../state-files.ts';
import { isSystemError, logTrial } from '../trial-log.ts';
import { allChecks } from './all-checks.ts';
import { runChecks } from './health-check.ts';
import { type JudgedCheck, writeHealthReport } from './health-report.ts';
import type { HealthSettings } from './health-settings.ts';

/**
 * Runs all checks of a machine on trial. What failed before the upgrade too is marked as known. Each is noted
 * before it begins, so that the one that never ends is known by name; how all ended is kept for `status`.
 */
export async function judge(
  machine: Machine,
  settings: HealthSettings,
  note: (text: string) => void,
): Promise<readonly JudgedCheck[]> {
  const { deployment } = machine.running;
  const { baseline } = (await readState(machine)).value;
  const failing = baseline?.deployment === deployment ? baseline.failing : [];
  const outcomes = await runChecks(await allChecks(machine, settings), async ({ name }) => {
    await logTrial(machine, `checking ${name}`, note);
  });
  const checks = outcomes.map((outcome) => ({
    ...outcome,
    known: !outcome.passed && failing.includes(outcome.name),
  }));
  try {
    await writeHealthReport(machine, { time: machine.clock.now(), deployment, checks });
  } catch (error) {
    // It is only told: a full data partition must not end a trial.
    if (!isSystemError(error)) throw error;
    note(`how the health checks ended could not be kept: ${error.message}`);
  }
  return checks;
}
