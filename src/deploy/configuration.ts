import { PineError } from '../error.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { isRecord } from './json.ts';

/** What `/etc/pine/pinectl.toml` says. */
export interface Configuration {
  /** A URL or a path of a repository. */
  readonly remote: string;
  readonly ref: string;
  readonly trial: {
    /** Boots that a new deployment gets before the machine falls back: 1 to 9. */
    readonly tries: number;
    /** Seconds from the start of a trial to its confirmation. */
    readonly deadline: number;
  };
  readonly health: {
    /** Seconds that each check may take. */
    readonly timeout: number;
  };
}

const limit = 64 * 1024;

/** Reads `pinectl.toml`. Throws NOT_FOUND_CONFIGURATION or INPUT_CONFIGURATION. */
export async function readConfiguration(files: FileSystem, folder: string): Promise<Configuration> {
  const path = `${folder}/pinectl.toml`;
  const bytes = await files.readFile(path, limit);
  if (bytes === undefined) {
    throw new PineError('NOT_FOUND_CONFIGURATION', 'this machine is not told what to follow', {
      expected: 'a file with at least remote = "…" and ref = "…"',
      found: 'no such file',
      where: path,
      remedy: 'write it as docs/upgrade.md shows',
    });
  }
  return parseConfiguration(bytes.toString('utf8'), path);
}

/** Parses the text of `pinectl.toml`; names that it does not know are errors, since they are typos. */
export async function parseConfiguration(text: string, where: string): Promise<Configuration> {
  const { parse } = await import('smol-toml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw invalid(where, 'TOML', cause instanceof Error ? cause.message : String(cause));
  }
  const top = table(value, ['remote', 'ref', 'trial', 'health'], 'the file', where);
  const trial = table(top.trial ?? {}, ['tries', 'deadline'], '[trial]', where);
  const health = table(top.health ?? {}, ['timeout'], '[health]', where);
  return {
    remote: string(top.remote, /^\S.{0,2000}$/, 'remote', where),
    ref: string(
      top.ref,
      /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
      'ref',
      where,
    ),
    trial: {
      tries: number(trial.tries, 2, [1, 9], 'trial.tries', where),
      deadline: number(trial.deadline, 300, [30, 86_400], 'trial.deadline', where),
    },
    health: { timeout: number(health.timeout, 60, [1, 3600], 'health.timeout', where) },
  };
}

function table(
  value: unknown,
  names: readonly string[],
  what: string,
  where: string,
): Record<string, unknown> {
  if (!isRecord(value)) throw invalid(where, `${what} to be a table`, JSON.stringify(value));
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(where, `in ${what} only ${names.join(', ')}`, unknown);
  return value;
}

function string(value: unknown, pattern: RegExp, name: string, where: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(where, `${name} = "…"`, JSON.stringify(value) ?? `no ${name}`);
}

function number(
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
  throw invalid(where, `${name} from ${least} to ${most}`, String(value));
}

function invalid(where: string, expected: string, found: string): PineError {
  return new PineError('INPUT_CONFIGURATION', 'pinectl.toml can not be used as it is', {
    expected,
    found,
    where,
    remedy: 'correct the file; docs/upgrade.md shows one',
  });
}
