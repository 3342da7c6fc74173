import { replaceFile } from '../durable-file.ts';
import { isRecord, parseJson, whole } from '../json.ts';
import type { Machine } from '../machine.ts';
import { growthFile } from '../paths.ts';

/** Boots of one release that may try it with a disk of one size: what makes a machine go down must not do so for ever. */
const most = 3;
const limit = 4096;

/**
 * Counts one more attempt to fill a disk of `diskSize` bytes, durably and before it begins (S6). False when there have
 * been enough. On a full partition it is not counted.
 */
export async function countAttempt(machine: Machine, diskSize: number): Promise<boolean> {
  const path = growthFile(machine);
  const bytes = await machine.files.readFile(path, limit).catch(() => undefined);
  const record = bytes && parseJson(bytes);
  const [release = ''] = machine.running.deployment.split('.');
  const isSame = isRecord(record) && record.disk === diskSize && record.release === release;
  const before = isSame ? (whole(record.attempts) ?? most) : 0;
  if (before >= most) return false;
  const next = { version: 1, disk: diskSize, release, attempts: before + 1 };
  try {
    await replaceFile(machine.files, path, Buffer.from(`${JSON.stringify(next)}\n`));
  } catch (error) {
    // On a full partition nothing can be counted, and more room is what it needs.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  return true;
}
