import type { Conflict } from '../../etc/conflicts.ts';
import type { Machine } from '../machine.ts';
import { readConflicts } from './records.ts';

/**
 * The conflicts of the running /etc that nobody has settled: neither with `pinectl etc resolve`, nor by removing what
 * lay beside the file.
 */
export async function openConflicts(machine: Machine): Promise<readonly Conflict[]> {
  const open: Conflict[] = [];
  for (const conflict of await readConflicts(machine, machine.running.deployment)) {
    const { beside } = conflict;
    const isOpen =
      beside === undefined ||
      (await machine.files.status(`${machine.etc}/${beside}`)) !== undefined;
    if (isOpen) open.push(conflict);
  }
  return open;
}
