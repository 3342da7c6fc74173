import { PineError } from '../error.ts';
import { standardHistory } from '../etc/history/history-settings.ts';
import { type Configuration, readConfiguration, standardTrial } from './configuration.ts';
import { standardHealth } from './health/health-settings.ts';
import { standardHooks } from './hooks/run-hooks.ts';
import type { Machine } from './machine.ts';

/** What of pinectl.toml has a standard value. */
export type Settings = Pick<Configuration, 'health' | 'hooks' | 'etc' | 'trial'>;

/**
 * The settings of pinectl.toml, for what must go on without it: a mistake there must not make a trial fail, nor keep
 * anyone from going back. It is told, and the standard values count.
 */
export async function readSettings(
  machine: Machine,
  folder: string,
  note: (text: string) => void,
): Promise<Settings> {
  try {
    const { health, hooks, etc, trial } = await readConfiguration(machine.files, folder);
    return { health, hooks, etc, trial };
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    note(`${error.message} (${error.details.where}): using standard values`);
    return {
      health: standardHealth,
      hooks: standardHooks,
      etc: standardHistory,
      trial: standardTrial,
    };
  }
}
