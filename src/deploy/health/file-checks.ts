import { findExecutables } from '../executables.ts';
import type { Machine } from '../machine.ts';
import type { HealthCheck } from './health-check.ts';
import type { HealthSettings } from './health-settings.ts';

/** More than anyone has: what is beyond is not run, and that fails. */
const mostChecks = 200;

/**
 * The checks of the health.d folders: in a folder itself and in its `required.d` required ones, in `wanted.d`
 * wanted ones. Of one name the administrator's counts before the image's, then the required before the wanted.
 */
export async function fileChecks(
  { files, effects, healthFolders }: Pick<Machine, 'files' | 'effects' | 'healthFolders'>,
  settings: HealthSettings,
): Promise<readonly HealthCheck[]> {
  const folders = healthFolders.flatMap((folder) => [
    folder,
    `${folder}/required.d`,
    `${folder}/wanted.d`,
  ]);
  const found = await findExecutables(files, folders);
  const checks = found.slice(0, mostChecks).map(({ name, path, folder }): HealthCheck => {
    const timeout = settings.timeouts[name] ?? settings.timeout;
    return {
      name,
      severity: folder.endsWith('/wanted.d') ? 'wanted' : 'required',
      timeout,
      run: () => effects.runProgram(path, timeout),
    };
  });
  return found.length > mostChecks ? [...checks, tooMany(found.length)] : checks;
}

function tooMany(count: number): HealthCheck {
  const detail = `${count} checks: only the first ${mostChecks} were run`;
  return {
    name: 'health.d',
    severity: 'required',
    timeout: 1,
    run: async () => ({ passed: false, detail }),
  };
}
