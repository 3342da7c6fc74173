import { type LastRun, readAutomatic } from './automatic/record.ts';
import { readWaiting, type Waiting } from './first-trial/waiting.ts';
import { type Machine, otherSlot } from './machine.ts';
import { noticeFile } from './paths.ts';
import { pinnedIn } from './pins/protection.ts';
import { hasFallenBack, readSituation, type Situation, trialDeployment } from './situation.ts';
import type { Staged } from './staging/staged.ts';
import { readStaged } from './staging/staged-file.ts';
import { isSystemError } from './trial-log.ts';

const limit = 4096;

/**
 * What whoever logs in should know, one line each: a trial and its tries, an upgrade or a rollback that waits for
 * its reboot, a fall-back since the last upgrade, a pin that keeps unattended upgrades (`last`) from going on. Usually
 * nothing.
 */
export function noticeOf(
  machine: Pick<Machine, 'running'>,
  situation: Pick<Situation, 'choice' | 'deployments' | 'pins' | 'state' | 'settled'>,
  known: {
    readonly staged?: Staged | undefined;
    readonly last?: LastRun | undefined;
    readonly waiting?: Waiting | undefined;
  },
): readonly string[] {
  const { choice, state } = situation;
  const { staged, last, waiting } = known;
  const { running } = machine;
  if (choice === undefined) return ['pine: the boot choice is damaged (pinectl status)'];
  const trial = trialDeployment(situation);
  const tries = choice.trial?.tries ?? 0;
  if (trial !== undefined && trial.block === running.block) {
    return [
      `pine: this system, ${trial.id}, is on trial; tries left after this boot: ${tries}`,
      waiting === undefined
        ? 'pine: it is kept once its health checks pass, or left with `pinectl rollback`'
        : 'pine: its health checks passed, and a login over SSH confirms it: `pinectl status`',
    ];
  }
  if (trial !== undefined && !hasFallenBack(machine, situation)) {
    return [`pine: ${trial.id} is armed: the next boot is its trial, with ${tries} tries`];
  }
  if (running.block !== undefined && !choice.order.includes(running.block)) {
    return ['pine: this system was left by a rollback: the next boot is another one'];
  }
  if (staged !== undefined) {
    return [`pine: ${staged.deployment} is staged: a reboot arms it, and is its trial`];
  }
  const lines: string[] = [];
  const event = state.history.at(-1);
  if (event?.kind === 'fell-back') {
    const version = event.version === '' ? '' : ` (${printable(event.version)})`;
    lines.push(`pine: fell back from ${event.deployment}${version}: \`pinectl status\` says why`);
  }
  if (last?.kind === 'pinned') {
    for (const { id } of pinnedIn(situation, otherSlot(running.slot))) {
      lines.push(`pine: an upgrade waits: ${id} is pinned; \`pinectl unpin ${id}\` lets it go on`);
    }
  }
  return lines;
}

/** Does something that may change what whoever logs in should know, and tells that afterwards, however it ends. */
export async function withNotice<T>(machine: Machine, run: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await run();
  } catch (error) {
    await refreshNotice(machine).catch(() => {}); // the first error counts
    throw error;
  }
  await refreshNotice(machine);
  return result;
}

/** Keeps the notice for /etc/profile.d/pine.sh up to date. Nothing depends on it: it never fails. */
export async function refreshNotice(machine: Machine): Promise<void> {
  const { files, volatile } = machine;
  const path = noticeFile(machine);
  try {
    const situation = await readSituation(machine);
    const lines = noticeOf(machine, situation, {
      staged: await readStaged(machine, situation),
      last: (await readAutomatic(machine))?.last,
      waiting: await readWaiting(machine),
    });
    if (lines.length === 0) {
      await files.remove(path);
      return;
    }
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    if ((await files.readFile(path, limit))?.equals(bytes)) return;
    await files.makeFolder(volatile, 0o755);
    await files.writeFile(`${path}.new`, bytes, 0o644);
    await files.rename(`${path}.new`, path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Signed or not, what a commit says does not steer a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
