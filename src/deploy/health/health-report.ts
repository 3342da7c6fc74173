import { replaceFile } from '../durable-file.ts';
import { isRecord, parseJson, text, whole } from '../json.ts';
import type { Machine } from '../machine.ts';
import { healthFile } from '../paths.ts';
import type { CheckOutcome } from './health-check.ts';

/** How the health checks of the last trial ended. */
export interface HealthReport {
  /** Seconds since 1970. */
  readonly time: number;
  /** The deployment that was on trial. */
  readonly deployment: string;
  readonly checks: readonly JudgedCheck[];
}

export interface JudgedCheck extends CheckOutcome {
  /** It failed before the upgrade too, and so does not count. */
  readonly known: boolean;
}

const limit = 256 * 1024;
const detailLength = 300;

/** Whether a check ends the trial: it is required, did not pass, and had passed before the upgrade. */
export function endsTrial({ passed, severity, known }: JudgedCheck): boolean {
  return !passed && severity === 'required' && !known;
}

/** What is told of checks that did not pass and ended nothing; empty when all passed. */
export function describeTolerated(checks: readonly JudgedCheck[]): string[] {
  return checks
    .filter((check) => !check.passed && !endsTrial(check))
    .map(({ name, known, detail }) =>
      known
        ? `health ${name} failed, as before the upgrade: ${detail}`
        : `health ${name} failed, which is only wanted: ${detail}`,
    );
}

/** Keeps a report for `status`, in place of the last one. */
export async function writeHealthReport(machine: Machine, report: HealthReport): Promise<void> {
  const checks = report.checks.map(({ parts, detail, ...check }) => ({
    ...check,
    detail: detail.slice(0, detailLength),
  }));
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, ...report, checks }, null, 2)}\n`);
  await replaceFile(machine.files, healthFile(machine), bytes);
}

/** The last report; `undefined` when there is none, or none that can be read: nothing depends on it. */
export async function readHealthReport(machine: Machine): Promise<HealthReport | undefined> {
  const bytes = await machine.files.readFile(healthFile(machine), limit).catch(() => undefined);
  const value = bytes && parseJson(bytes);
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.checks)) return undefined;
  const time = whole(value.time);
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  const checks = value.checks.map(parseCheck).filter((check) => check !== undefined);
  return time === undefined || deployment === undefined ? undefined : { time, deployment, checks };
}

function parseCheck(value: unknown): JudgedCheck | undefined {
  if (!isRecord(value)) return undefined;
  const { passed, severity, known } = value;
  const name = text(value.name, /^.{1,255}$/s);
  const detail = text(value.detail, /^.{0,300}$/s);
  if (name === undefined || detail === undefined) return undefined;
  if (typeof passed !== 'boolean' || typeof known !== 'boolean') return undefined;
  if (severity !== 'required' && severity !== 'wanted') return undefined;
  return { name, severity, passed, detail, known };
}
