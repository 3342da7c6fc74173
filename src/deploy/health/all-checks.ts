import type { Machine } from '../machine.ts';
import { builtInChecks } from './built-in-checks.ts';
import { fileChecks } from './file-checks.ts';
import type { HealthCheck } from './health-check.ts';
import type { HealthSettings } from './health-settings.ts';

/** Every check of a machine. The built-in ones come first: they wait for the network that others may need. */
export async function allChecks(
  machine: Machine,
  settings: HealthSettings,
): Promise<readonly HealthCheck[]> {
  return [...builtInChecks(machine, settings), ...(await fileChecks(machine, settings))];
}
