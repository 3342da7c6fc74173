import { PineError } from '../error.ts';
import { isRecord } from './json.ts';

export type TomlTable = Record<string, unknown>;

/** A table of pinectl.toml. Names other than `names` are errors, since they are typos. */
export function tableIn(
  value: unknown,
  names: readonly string[] | undefined,
  { what, where }: { what: string; where: string },
): TomlTable {
  if (!isRecord(value)) {
    throw invalidConfiguration(where, `${what} to be a table`, JSON.stringify(value));
  }
  const unknown = Object.keys(value).find((name) => names?.includes(name) === false);
  if (unknown !== undefined) {
    throw invalidConfiguration(where, `in ${what} only ${names?.join(', ')}`, unknown);
  }
  return value;
}

/** A string of pinectl.toml that matches. */
export function stringIn(value: unknown, pattern: RegExp, name: string, where: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalidConfiguration(where, `${name} = "…"`, JSON.stringify(value) ?? `no ${name}`);
}

/** A whole number of pinectl.toml within its range, or the standard one when it is not given. */
export function numberIn(
  value: unknown,
  standard: number,
  [least, most]: readonly [number, number],
  name: string,
  where: string,
): number {
  if (value === undefined) return standard;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  throw invalidConfiguration(where, `${name} from ${least} to ${most}`, String(value));
}

/** What every mistake in pinectl.toml ends in. */
export function invalidConfiguration(where: string, expected: string, found: string): PineError {
  return new PineError('INPUT_CONFIGURATION', 'pinectl.toml can not be used as it is', {
    expected,
    found,
    where,
    remedy: 'correct the file; docs/upgrade.md shows one',
  });
}
