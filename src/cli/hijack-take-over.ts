import { type Inspection, inspect } from '../install/hijack/inspect.ts';
import { nodeHost } from '../install/hijack/node-host.ts';
import type { OpenRemote } from '../install/hijack/wanted-commit.ts';
import {
  type ConfirmationOptions,
  confirmationOf,
  describeConfirmation,
} from './hijack-confirmation.ts';
import { inspectionToJson } from './hijack-json.ts';
import { type OldSystemOptions, wishOf } from './hijack-old-system.ts';
import { describeTakeOverStatus } from './hijack-status-text.ts';
import { describePreflight } from './hijack-text.ts';
import { usage } from './hijack-usage.ts';
import { readWish, type WishOptions } from './hijack-wish.ts';
import { print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { describeSteps } from './take-over-text.ts';

type Options = OldSystemOptions & ConfirmationOptions & WishOptions;

/** Says whether this machine can be taken over, and how. Throws the first thing that is in the way. */
export async function check(options: Options): Promise<void> {
  confirmationOf(options);
  const inspection = await inspect(nodeHost, await readWish(options), openRemote);
  await tell(options, inspection);
}

/** Prepares the take-over of this machine: the next boot starts it. Throws the first thing that is in the way. */
export async function takeOver(options: Options): Promise<void> {
  const confirmation = confirmationOf(options);
  const wish = await readWish(options);
  const { commit, kexec } = wish;
  if (commit === undefined) {
    throw usage('--remote URL --ref REF --key FILE, or --check', 'none of them');
  }
  const inspection = await inspect(nodeHost, wish, openRemote);
  if (inspection.preflight.refusals.length > 0) return tell(options, inspection);
  if (!options.json) process.stdout.write(`${describe(options, inspection)}\n`);
  const { stageInspected } = await import('../install/hijack/take-over/stage-inspected.ts');
  const { newDeploymentId } = await import('../deploy/deployments.ts');
  const { standardTrial } = await import('../deploy/configuration.ts');
  const { systemClock } = await import('../ports/clock.ts');
  const progress = terminalProgress();
  const staged = await stageInspected(
    inspection,
    {
      ...{ commit, kexec, confirmation, oldSystem: wishOf(options), tries: standardTrial.tries },
      newDeploymentId: (checksum) => newDeploymentId(checksum, new Set()),
    },
    {
      ...{ host: nodeHost, openRemote, clock: systemClock.now, progress: progress.report },
      note: (text) => process.stderr.write(`note: ${text}\n`),
    },
  ).finally(progress.end);
  const { firmware } = inspection.facts.machine;
  print(options.json, { staged: true, ...staged }, () =>
    [
      `Staged: commit ${staged.commit.slice(0, 12)}. Nothing but /boot/pine-hijack and /boot/grub/custom.cfg${firmware === 'bios' ? '' : ' (and new folders beside \\EFI\\debian)'} was written.`,
      `It took: ${describeSteps(staged.times)}.`,
      `${describeConfirmation(confirmation)}, else Debian comes back.`,
      kexec
        ? 'The installer is in memory: `systemctl kexec` starts it. A power cut forgets it, as a reboot of Debian 12 does.'
        : 'The next boot starts the installer, once: reboot.',
      'To take it away: pinectl hijack --cancel',
    ].join('\n'),
  );
}

/** Prints all that was found, and the last take-over. Throws the first thing that is in the way. */
async function tell(options: Options, inspection: Inspection): Promise<void> {
  const { readTakeOverStatus } = await import('../install/hijack/take-over/read-status.ts');
  const last = await readTakeOverStatus(nodeHost);
  const oldSystem = wishOf(options);
  print(options.json, { ...inspectionToJson(inspection, oldSystem), takeOver: last }, () =>
    [
      describe(options, inspection),
      ...(last.state === 'none' ? [] : ['The last take-over:', describeTakeOverStatus(last)]),
    ].join('\n'),
  );
  const { refusals } = inspection.preflight;
  const [first, ...others] = refusals;
  if (first === undefined) return;
  // All of them are in what was printed; the exit status is that of the first.
  if (others.length > 0 && !options.json) {
    process.stderr.write(`${refusals.length} things are in the way, the first:\n`);
  }
  throw first;
}

function describe(options: Options, { facts, commit, preflight }: Inspection): string {
  return describePreflight(facts, commit, preflight, wishOf(options));
}

const openRemote: OpenRemote = async (remote) => {
  const { openSource } = await import('../remote/open-source.ts');
  const { RemoteRepository } = await import('../remote/remote-repository.ts');
  return new RemoteRepository(await openSource(remote));
};
