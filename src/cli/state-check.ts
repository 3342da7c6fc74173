import type { ForgottenPlace } from '../deploy/kept/forgotten.ts';
import { print } from './output.ts';

/** `pinectl state check`. */
export async function check(options: { all?: boolean; json?: boolean }): Promise<void> {
  const { findForgotten } = await import('../deploy/kept/forgotten.ts');
  const { nodeFileSystem } = await import('../ports/node-file-system.ts');
  const places = await findForgotten({ files: nodeFileSystem }, { all: options.all ?? false });
  print(options.json, { places }, () => describe(places));
  if (places.length > 0) process.exitCode = 1;
}

function describe(places: readonly ForgottenPlace[]): string {
  if (places.length === 0) return 'nothing was written where a reboot forgets it';
  return places
    .flatMap(({ place, type, files, count }) => [
      `${place} is in memory (${type}): a reboot forgets ${count} files`,
      ...files.map((name) => `  ${name}`),
      ...(count > files.length ? [`  and ${count - files.length} more`] : []),
    ])
    .join('\n');
}
