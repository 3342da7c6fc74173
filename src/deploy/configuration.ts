import { PineError } from '../error.ts';
import { type HistorySettings, standardHistory } from '../etc/history/history-settings.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { type AutomaticSettings, parseAutomatic } from './automatic/automatic-settings.ts';
import {
  invalidConfiguration,
  numberIn as number,
  stringIn as string,
  tableIn as table,
} from './configuration-values.ts';
import { type HealthSettings, parseHealth } from './health/health-settings.ts';
import { type HookSettings, standardHooks } from './hooks/run-hooks.ts';

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
  readonly health: HealthSettings;
  readonly hooks: HookSettings;
  readonly automatic: AutomaticSettings;
  readonly etc: HistorySettings;
}

/** What counts where the file says nothing of trials. */
export const standardTrial: Configuration['trial'] = { tries: 2, deadline: 300 };

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
    throw invalidConfiguration(
      where,
      'TOML',
      cause instanceof Error ? cause.message : String(cause),
    );
  }
  const top = table(value, ['remote', 'ref', 'trial', 'health', 'hooks', 'automatic', 'etc'], {
    what: 'the file',
    where,
  });
  const trial = table(top.trial ?? {}, ['tries', 'deadline'], { what: '[trial]', where });
  const hooks = table(top.hooks ?? {}, ['timeout'], { what: '[hooks]', where });
  const etc = table(top.etc ?? {}, ['keep'], { what: '[etc]', where });
  const remote = string(top.remote, /^\S.{0,2000}$/, 'remote', where);
  return {
    remote,
    ref: string(
      top.ref,
      /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
      'ref',
      where,
    ),
    trial: {
      tries: number(trial.tries, standardTrial.tries, [1, 9], 'trial.tries', where),
      deadline: number(
        trial.deadline,
        standardTrial.deadline,
        [30, 86_400],
        'trial.deadline',
        where,
      ),
    },
    health: parseHealth(top.health, remote, where),
    hooks: {
      timeout: number(hooks.timeout, standardHooks.timeout, [1, 3600], 'hooks.timeout', where),
    },
    automatic: parseAutomatic(top.automatic, where),
    etc: { keep: number(etc.keep, standardHistory.keep, [2, 10_000], 'etc.keep', where) },
  };
}
