import type { ProgramResult } from '../machine.ts';

/** Whether a trial is kept only if a check passes, or the check is only told about. */
export type Severity = 'required' | 'wanted';

/** One thing that is looked at before a trial is confirmed. */
export interface HealthCheck {
  /** Of a file its name; of a built-in one what pinectl.toml calls it. */
  readonly name: string;
  readonly severity: Severity;
  /** Seconds that it may take. */
  readonly timeout: number;
  /** Never rejects, and ends when its time is up. */
  run(): Promise<ProgramResult>;
}

/** How a check ended. */
export interface CheckOutcome extends ProgramResult {
  readonly name: string;
  readonly severity: Severity;
}

/** A required check that did not pass, and how. */
export type FailedCheck = Pick<CheckOutcome, 'name' | 'detail'>;

/** Runs checks one after the other, all of them. `begin` is told of each before it starts. */
export async function runChecks(
  checks: readonly HealthCheck[],
  begin: (check: HealthCheck) => Promise<void> = async () => {},
): Promise<readonly CheckOutcome[]> {
  const outcomes: CheckOutcome[] = [];
  for (const check of checks) {
    await begin(check);
    const { name, severity } = check;
    outcomes.push({ name, severity, ...(await check.run()) });
  }
  return outcomes;
}
