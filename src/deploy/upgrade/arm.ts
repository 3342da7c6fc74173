import { removeDurably } from '../durable-file.ts';
import { makeEtc } from '../etc/make-etc.ts';
import { readConflicts } from '../etc/records.ts';
import { writeOrigin } from '../origin/origin-file.ts';
import { attemptsFile, etcFolder } from '../paths.ts';
import { changeChoice } from '../refusals.ts';
import { addOnce } from '../settle.ts';
import { removeStaged, writeStaged } from '../staging/staged-file.ts';
import { type HistoryEvent, withoutHold } from '../state.ts';
import { readState, removeWriting, writeState } from '../state-files.ts';
import { throwOnConflicts } from './refuse.ts';
import type { ArmingWork, Work } from './work.ts';

/** The slot holds what is wanted, and its /etc is merged: from here on a reboot arms it (S7). Throws STATE_CONFLICTS. */
export async function stage(work: Work): Promise<void> {
  const { machine, deployment, version, tries, deadline, baseline, strict } = work;
  const { id, slot, commit } = deployment;
  if (strict) throwOnConflicts(await readConflicts(machine, id), machine.etc);
  const { failing } = baseline;
  // A held commit comes so far by --retry only. What is staged and held would not be armed by the reboot.
  const { value: state } = await readState(machine);
  if (state.held.some((hold) => hold.commit === commit)) {
    await writeState(machine, withoutHold(state, commit));
  }
  await writeStaged(machine, { deployment: id, slot, commit, version, tries, deadline, failing });
}

/** Before anything names the deployment: how its image came. */
export async function noteOrigin({ machine, deployment, origin }: Work): Promise<void> {
  await writeOrigin(machine, deployment.id, origin());
}

/** What was staged is armed, or is about to be overwritten (S2): a reboot must not arm it. */
export async function forgetStaging({ machine }: ArmingWork): Promise<void> {
  await removeStaged(machine);
}

/** S8: the new deployment's /etc, merged of what the running one has at this moment and both defaults. */
export async function mergeIntoNewEtc({ machine, deployment, note }: ArmingWork): Promise<void> {
  const { files } = machine;
  if ((await files.status(machine.etc)) === undefined) {
    // A disk image that never booted: the initramfs makes an /etc out of the image.
    await removeDurably(files, etcFolder(machine, deployment.id));
    note(`${machine.etc} does not exist: the new deployment starts with the /etc of its image`);
    return;
  }
  const told = (await readConflicts(machine, deployment.id)).map(({ path }) => path);
  const { conflicts } = await makeEtc(machine, deployment, note);
  for (const { path, detail } of conflicts) {
    if (!told.includes(path)) note(`/etc/${path} is in conflict: ${detail}`);
  }
  // A log of an earlier deployment of the same id would be taken for this one's.
  await removeDurably(files, attemptsFile(machine, deployment.id));
}

/** The arguments of the new deployment, in a block that the boot choice does not name. */
export async function writeArguments({ machine, block, deployment }: ArmingWork): Promise<void> {
  await machine.bootLoader.writeDeployment(block, deployment);
}

/** What the next boot has to know besides the choice is on record before it (S6). */
export async function remember(work: ArmingWork): Promise<void> {
  const { machine, deployment, version, baseline, reason = '' } = work;
  const { value: state } = await readState(machine);
  const { id, slot, commit } = deployment;
  const event: HistoryEvent = {
    time: machine.clock.now(),
    kind: 'armed',
    deployment: id,
    slot,
    commit,
    version,
    reason,
  };
  await writeState(machine, { ...withoutHold(addOnce(state, event), commit), baseline });
}

/** S3: one write of one sector, and all that it points to is durable. */
export async function arm({ machine, target, block, tries }: ArmingWork): Promise<void> {
  await changeChoice(machine.bootLoader, { kind: 'arm', running: target.running, block, tries });
}

/** The write is complete. Without this it would only be looked at again. */
export async function forgetWriting({ machine }: Pick<Work, 'machine'>): Promise<void> {
  await removeWriting(machine);
}
