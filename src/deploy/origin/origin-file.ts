import { removeDurably, replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { originFile, originFolder } from '../paths.ts';
import { formatOrigin, type Origin, originLimit, parseOrigin } from './origin.ts';

/** How a deployment came; `undefined` when that is not on record, or the record is damaged or of another commit. */
export async function readOrigin(
  machine: Pick<Machine, 'files' | 'data'>,
  { id, commit }: { readonly id: string; readonly commit: string },
): Promise<Origin | undefined> {
  const path = originFile(machine, id);
  const bytes = await machine.files.readFile(path, originLimit).catch(() => undefined);
  const origin = bytes && parseOrigin(bytes);
  return origin?.commit === commit ? origin : undefined;
}

/** Keeps how a deployment came, durably. */
export function writeOrigin(machine: Machine, id: string, origin: Origin): Promise<void> {
  return replaceFile(machine.files, originFile(machine, id), formatOrigin(origin));
}

/** Other kernel arguments for the same image: it came as it came. */
export async function copyOrigin(
  machine: Machine,
  from: { readonly id: string; readonly commit: string },
  to: string,
): Promise<void> {
  const origin = await readOrigin(machine, from);
  if (origin !== undefined) await writeOrigin(machine, to, origin);
}

/** Removes the records of deployments that `kept` does not name. */
export async function removeOtherOrigins(
  machine: Machine,
  kept: ReadonlySet<string>,
): Promise<void> {
  const folder = originFolder(machine);
  for (const name of (await machine.files.readFolder(folder)) ?? []) {
    if (!kept.has(name.replace(/\.json$/, ''))) {
      await removeDurably(machine.files, `${folder}/${name}`);
    }
  }
}
