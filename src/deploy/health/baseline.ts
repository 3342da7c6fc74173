import type { ProgramResult } from '../machine.ts';

/** A check by its name, and how it ended. */
type Outcome = Pick<ProgramResult, 'passed' | 'parts'> & { readonly name: string };

/** As many names as staged.json takes, and as long as one there may be. */
const mostNames = 200;
const longestName = 255;

/**
 * What failed before an upgrade, so that it can't fail the new system: the names of checks, or `CHECK/PART` where a
 * check has told which of the things that it looks at failed. No name of a check has a slash.
 */
export function baselineOf(outcomes: readonly Outcome[]): readonly string[] {
  const failed = outcomes.filter(({ passed }) => !passed);
  const whole = failed.map(({ name }) => name);
  const fine = failed.flatMap(({ name, parts = [] }) => {
    const names = parts.map((part) => partName(name, part));
    return parts.length > 0 && names.every(({ length }) => length <= longestName) ? names : [name];
  });
  return fine.length > mostNames ? whole : fine;
}

/**
 * What of a check that failed had not failed before: empty when all of it had, and then it doesn't count;
 * `undefined` when it has told no parts, and failed as a whole.
 */
export function newFailures(
  { name, parts = [] }: Outcome,
  baseline: readonly string[],
): readonly string[] | undefined {
  if (baseline.includes(name)) return [];
  if (parts.length === 0) return undefined;
  return parts.filter((part) => !baseline.includes(partName(name, part)));
}

function partName(check: string, part: string): string {
  return `${check}/${part}`;
}
