import { PineError } from '../error.ts';

/** The `config` of a new repository, as `ostree init --mode=archive` writes it. */
export const initialConfig = '[core]\nrepo_version=1\nmode=archive-z2\n';

/** What a repository's `config` says of locks: the names and defaults are ostree's. */
export interface RepositoryConfig {
  /** Whether writers take ostree's lock. */
  readonly locking: boolean;
  /** Seconds that a writer waits for others; may be infinite. */
  readonly lockTimeout: number;
}

/**
 * Checks the text of a repository's `config`: an archive of version 1, nothing else. `where` is its
 * path. Throws INPUT_REPOSITORY_VERSION, INPUT_REPOSITORY_MODE.
 */
export function checkConfig(text: string, where: string): RepositoryConfig {
  const core = readSection(text, 'core');
  const version = core.get('repo_version');
  if (version !== '1') {
    throw new PineError('INPUT_REPOSITORY_VERSION', 'this repository has an unknown version', {
      expected: 'repo_version=1 in [core]',
      found: version === undefined ? 'no repo_version' : `repo_version=${version}`,
      where,
      remedy: 'make a repository with `pinectl init`, or use a newer pinectl',
    });
  }
  const mode = core.get('mode');
  if (mode !== 'archive' && mode !== 'archive-z2') {
    throw new PineError(
      'INPUT_REPOSITORY_MODE',
      'this repository has a mode that pine cannot use',
      {
        expected: 'mode=archive-z2 (or archive) in [core]',
        found: mode === undefined ? 'no mode' : `mode=${mode}`,
        where,
        remedy:
          'make an archive with `pinectl init` and fill it with `ostree pull-local OTHER REF --repo=THIS`',
      },
    );
  }
  const timeout = core.get('lock-timeout-secs') ?? '';
  return {
    locking: core.get('locking') !== 'false',
    lockTimeout:
      timeout === '-1'
        ? Number.POSITIVE_INFINITY
        : /^\d{1,9}$/.test(timeout)
          ? Number(timeout)
          : 30,
  };
}

/** The keys of one `[section]` of a key file as GLib writes them. */
function readSection(text: string, wanted: string): Map<string, string> {
  const found = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const heading = /^\[(.*)\]$/.exec(line);
    if (heading !== null) section = heading[1] ?? '';
    else if (section === wanted && !line.startsWith('#') && line.includes('=')) {
      const equals = line.indexOf('=');
      found.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
    }
  }
  return found;
}
