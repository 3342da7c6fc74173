import type { Machine } from '../machine.ts';
import { readState } from '../state-files.ts';
import { isSystemError, logTrial } from '../trial-log.ts';
import { allChecks } from './all-checks.ts';
import { newFailures } from './baseline.ts';
import { type CheckOutcome, runChecks, type Severity } from './health-check.ts';
import { type JudgedCheck, writeHealthReport } from './health-report.ts';
import type { HealthSettings } from './health-settings.ts';

/**
 * Runs the checks of one kind on a machine that is or was on trial, `earlier` being those that have ended. What failed
 * before the upgrade too is marked as known. Each required one is noted before it begins, so that the one that never
 * ends is known by name; how all ended is kept for `status`.
 */
export async function judge(
  machine: Machine,
  settings: HealthSettings,
  severity: Severity,
  earlier: readonly JudgedCheck[],
  note: (text: string) => void,
): Promise<readonly JudgedCheck[]> {
  const { deployment } = machine.running;
  const { baseline } = (await readState(machine)).value;
  const failing = baseline?.deployment === deployment ? baseline.failing : [];
  const all = await allChecks(machine, settings);
  const chosen = all.filter((check) => check.severity === severity);
  if (chosen.length === 0 && earlier.length > 0) return earlier;
  const outcomes = await runChecks(chosen, async ({ name }) => {
    if (severity === 'required') await logTrial(machine, `checking ${name}`, note);
  });
  const judged = outcomes.map((outcome) => judgeOutcome(outcome, failing));
  const checks = [...earlier, ...judged];
  try {
    await writeHealthReport(machine, { time: machine.clock.now(), deployment, checks });
  } catch (error) {
    // It is only told: a full data partition must not end a trial.
    if (!isSystemError(error)) throw error;
    note(`how the health checks ended could not be kept: ${error.message}`);
  }
  return checks;
}

/** What failed beside others that had failed before is told by name. */
function judgeOutcome(outcome: CheckOutcome, baseline: readonly string[]): JudgedCheck {
  if (outcome.passed) return { ...outcome, known: false };
  const fresh = newFailures(outcome, baseline);
  if (fresh?.length === 0) return { ...outcome, known: true };
  const some = fresh !== undefined && fresh.length < (outcome.parts?.length ?? 0);
  const told = some ? ` (not before the upgrade: ${fresh.join(', ').slice(0, 100)})` : '';
  return { ...outcome, detail: outcome.detail + told, known: false };
}
