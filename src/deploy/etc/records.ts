import { PineError } from '../../error.ts';
import {
  type Conflict,
  conflictsFile,
  conflictsLimit,
  formatConflicts,
  parseConflicts,
} from '../../etc/conflicts.ts';
import { formatMarks, type Marks, marksFile, marksLimit, parseMarks } from '../../etc/marks.ts';
import { removeDurably, replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';

/** The conflicts of a deployment's /etc that nobody has settled. Damage counts as none, with a note. */
export async function readConflicts(
  machine: Machine,
  deployment: string,
  note: (text: string) => void = () => {},
): Promise<readonly Conflict[]> {
  const path = conflictsFile(machine.data, deployment);
  return (await readRecord(machine, path, conflictsLimit, parseConflicts, note)) ?? [];
}

/** Keeps the conflicts of a deployment's /etc, durably; none leave no file. */
export async function writeConflicts(
  machine: Machine,
  deployment: string,
  conflicts: readonly Conflict[],
): Promise<void> {
  const path = conflictsFile(machine.data, deployment);
  if (conflicts.length === 0) await removeDurably(machine.files, path);
  else await replaceFile(machine.files, path, formatConflicts(conflicts), 0o600);
}

/**
 * The paths that are pinned as local. Throws CORRUPT_ETC_MARKS, unless there is a `note`: then damage is told, and
 * counts as none.
 */
export async function readMarks(machine: Machine, note?: (text: string) => void): Promise<Marks> {
  const path = marksFile(machine.data);
  const refuse = () => {
    throw corruptMarks(path);
  };
  return (await readRecord(machine, path, marksLimit, parseMarks, note ?? refuse)) ?? [];
}

/** Replaces the list of marks, durably. */
export async function writeMarks({ files, data }: Machine, marks: Marks): Promise<void> {
  await replaceFile(files, marksFile(data), formatMarks(marks));
}

async function readRecord<T>(
  machine: Machine,
  path: string,
  limit: number,
  parse: (bytes: Uint8Array) => T | undefined,
  note: (text: string) => void,
): Promise<T | undefined> {
  try {
    const bytes = await machine.files.readFile(path, limit);
    if (bytes === undefined) return undefined;
    const found = parse(bytes);
    if (found !== undefined) return found;
  } catch (error) {
    if (!(error instanceof PineError) || error.code !== 'CORRUPT_TOO_LARGE') throw error;
  }
  note(`${path} is damaged: what it said is lost`);
  return undefined;
}

function corruptMarks(where: string): PineError {
  return new PineError('CORRUPT_ETC_MARKS', 'the list of marked paths is damaged', {
    expected: 'a list as `pinectl etc mark` writes it',
    found: 'something else',
    where,
    remedy: 'remove the file and mark the paths again',
  });
}
