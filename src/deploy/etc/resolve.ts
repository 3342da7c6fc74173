import { PineError } from '../../error.ts';
import type { Conflict } from '../../etc/conflicts.ts';
import type { Machine } from '../machine.ts';
import { underLock } from '../under-lock.ts';
import { openConflicts } from './open-conflicts.ts';
import { readConflicts, writeConflicts } from './records.ts';

/**
 * Settles a conflict of the running /etc. `keep`: the local side counts, the one beside it goes. `take`: the release's
 * side comes into place, with the mode and owner that it ships; the local one stays as `NAME.pine-old`.
 *
 * Throws NOT_FOUND_CONFLICT, STATE_CONFLICT_KIND for one that can't be taken as a whole. Can be cut and run again (S7).
 */
export async function resolveConflict(
  machine: Machine,
  path: string,
  side: 'keep' | 'take',
): Promise<Conflict> {
  return underLock(machine, async () => {
    const all = await readConflicts(machine, machine.running.deployment);
    const conflict = all.find((other) => other.path === path);
    if (conflict === undefined) throw notFound(path, await openConflicts(machine));
    if (side === 'take') await take(machine, conflict);
    else if (conflict.beside !== undefined)
      await machine.files.remove(inEtc(machine, conflict.beside));
    await machine.files.syncAll(machine.etc); // S6
    await writeConflicts(
      machine,
      machine.running.deployment,
      all.filter((other) => other !== conflict),
    );
    return conflict;
  });
}

async function take(machine: Machine, { path, reason, beside, release }: Conflict): Promise<void> {
  const { files } = machine;
  const place = inEtc(machine, path);
  if (reason === 'accounts' || reason === 'keys') throw notWhole(path);
  if (reason === 'removed-by-release') {
    await keepOld(machine, path);
    return;
  }
  if (beside !== undefined) {
    if ((await files.status(inEtc(machine, beside))) === undefined) throw besideGone(path, beside);
    await keepOld(machine, path);
    await files.rename(inEtc(machine, beside), place);
  }
  if (release === undefined || (await files.status(place))?.kind === 'symlink') return;
  await files.setOwner(place, release.uid, release.gid);
  await files.setMode(place, release.mode);
}

/** S8: what was here is kept under a name of its own. */
async function keepOld(machine: Machine, path: string): Promise<void> {
  const { files } = machine;
  if ((await files.status(inEtc(machine, path))) === undefined) return;
  for (let count = 0; ; count += 1) {
    const old = `${inEtc(machine, path)}.pine-old${count === 0 ? '' : `.${count}`}`;
    if ((await files.status(old)) !== undefined) continue;
    await files.rename(inEtc(machine, path), old);
    return;
  }
}

function inEtc(machine: Machine, path: string): string {
  return `${machine.etc}/${path}`;
}

function notFound(path: string, open: readonly Conflict[]): PineError {
  return new PineError('NOT_FOUND_CONFLICT', 'this path is not in conflict', {
    expected: open.length === 0 ? 'a conflict' : open.map((conflict) => conflict.path).join(', '),
    found: path,
    where: '/etc',
    remedy: '`pinectl status` lists the conflicts of the running system',
  });
}

function besideGone(path: string, beside: string): PineError {
  return new PineError('NOT_FOUND_CONFLICT', "the release's side of this conflict is gone", {
    expected: `/etc/${beside}`,
    found: 'nothing',
    where: `/etc/${path}`,
    remedy: 'copy it from /usr/etc, or settle the conflict with --keep',
  });
}

function notWhole(path: string): PineError {
  return new PineError('STATE_CONFLICT_KIND', 'this conflict can not be settled by taking a side', {
    expected: 'a file that can be taken as a whole',
    found: 'accounts or keys, of which this machine would lose its own',
    where: `/etc/${path}`,
    remedy: 'edit the file as you want it, then `pinectl etc resolve --keep`',
  });
}
