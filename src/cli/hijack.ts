import type { Command } from 'commander';
import type { OldSystemWish } from '../boot/old-system-wish.ts';
import { PineError } from '../error.ts';
import type { CommitFacts } from '../install/hijack/commit-facts.ts';
import type { DiskPlan } from '../install/hijack/disk-plan.ts';
import type { Host } from '../install/hijack/host.ts';
import type { Preflight } from '../install/hijack/preflight.ts';
import type { HostFacts } from '../install/hijack/survey.ts';
import type { Confirmation } from '../install/hijack/take-over/stage.ts';
import type { PublicKey } from '../trust/keys.ts';
import { collect } from './commit-options.ts';
import { confirmationOf, describeConfirmation } from './hijack-confirmation.ts';
import { type OldSystemOptions, runOldSystem, wishOf } from './hijack-old-system.ts';
import { usage } from './hijack-usage.ts';
import { print } from './output.ts';
import { parseDuration } from './parse-duration.ts';

interface Options extends OldSystemOptions {
  readonly check?: boolean;
  readonly cancel?: boolean;
  readonly status?: boolean;
  readonly confirm?: boolean;
  readonly confirmAfter?: number;
  readonly loginWithin?: number;
  readonly remote?: string;
  readonly ref?: string;
  readonly key?: readonly string[];
  readonly layout?: string;
  readonly disk?: string;
  readonly kexec?: boolean;
}

const largestLayout = 64 * 1024;
export function define(command: Command): void {
  command
    .option('--check', 'look whether this machine can be taken over, and change nothing')
    .option('--cancel', 'take away what was staged, as long as it was not started')
    .option('--status', 'how far the take-over of this machine is, or why it stopped')
    .option('--confirm', 'on the new system: confirm its first trial without a login over SSH')
    .option(
      '--confirm-after <duration>',
      'confirm the first trial without a login, so long after its health checks: 10m, 0',
      parseDuration,
    )
    .option(
      '--login-within <duration>',
      'what each of the two tries of the first trial takes at most (default: 30m)',
      parseDuration,
    )
    .option('--remote <url>', 'the repository: a URL or a path')
    .option('--ref <ref>', 'the ref that the machine is to follow')
    .option('--key <file>', 'a .pub file that the commit must be signed with (repeatable)', collect)
    .option('--layout <file>', "the layout.cfg for pine's partitions (default: one that fits)")
    .option('--disk <device>', 'the disk, to be sure: any but the one that runs is refused')
    .option('--kexec', 'load the installer into memory: `systemctl kexec` starts it, not a reboot')
    .option('--undo', 'on a machine that was taken over: the next boots start the old system')
    .option('--redo', 'takes that back; on the old system: the next boots start pine')
    .option('--keep-data', "leave the old system's files under /data/old-root, read-only")
    .option(
      '--wipe',
      'erase the old system, once the machine is confirmed; its room is /data/spare',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Fetches and verifies the commit, builds all that will be written, and has GRUB start the installer at
the next boot, once: reboot when it is done. Until then --cancel takes it away. So far with the root on a
partition of its own, and BIOS, or UEFI without Secure Boot; whatever is not known is refused before
anything is written.
With --kexec no boot loader starts the installer, and no firmware: for a GRUB that can't save, or a slow start.
It needs Debian's kexec-tools.
The new system is confirmed when its health checks have passed and somebody has logged in over SSH. If nobody
does in both tries, the old system comes back.
--keep-data and --wipe may be given with a take-over, or later on the machine that came of it.
With --check and without a commit nothing is said of its size and drivers. The exit status is 0 when
nothing is in the way.

Examples:
  ./pinectl-linux-x64 hijack --check
  ./pinectl-linux-x64 hijack --check --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub
  ./pinectl-linux-x64 hijack --check --json | jq .refusals
  ./pinectl-linux-x64 hijack --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub && reboot
  ./pinectl-linux-x64 hijack --kexec --remote https://example.org/repo --ref alpine/x86_64/web --key release.pub
  systemctl kexec
  ./pinectl-linux-x64 hijack --status                     why the old system came up again
  pinectl hijack --confirm                                on the new system, at its console
  pinectl hijack --undo && reboot       on the pine machine: back to Debian, while it is kept
  ./pinectl-linux-x64 hijack --redo     on that Debian: pine again, from the next boot on
  pinectl hijack --wipe                 on the pine machine: nothing is left of Debian

More: docs/hijack.md`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const isTakeOver = options.check === true || options.remote !== undefined;
  if (await runOldSystem(options, isTakeOver)) return;
  const { nodeHost } = await import('../install/hijack/node-host.ts');
  if (options.cancel === true) return cancel(nodeHost, options);
  if (options.status === true)
    return (await import('./hijack-afterwards.ts')).tellStatus(nodeHost, options.json);
  if (options.confirm === true)
    return (await import('./hijack-afterwards.ts')).confirm(options.json);
  const confirmation = confirmationOf(options);
  const { surveyHost } = await import('../install/hijack/survey.ts');
  const { judge } = await import('../install/hijack/preflight.ts');
  const layouts = await readLayouts(options.layout);
  const source = await commitSource(options);
  if (source === undefined && options.check !== true) {
    throw usage('--remote URL --ref REF --key FILE, or --check', 'none of them');
  }
  const facts = await surveyHost(nodeHost);
  const commit = source === undefined ? undefined : await readCommit(source, facts);
  const { kexec = false } = options;
  const judged = judge(facts, { commit, layouts, wantedDisk: options.disk, kexec });
  const offRoad = await roadRefusals(nodeHost, facts, judged);
  const preflight = { ...judged, refusals: [...judged.refusals, ...offRoad] };
  const { describePreflight } = await import('./hijack-text.ts');
  const [first, ...others] = preflight.refusals;
  if (options.check !== true && source !== undefined && first === undefined) {
    if (!options.json)
      process.stdout.write(`${describePreflight(facts, commit, preflight, wishOf(options))}\n`);
    const planAgain = async () => {
      const settings = { commit, layouts, wantedDisk: options.disk, kexec, fetched: true };
      const { refusals, disk } = judge(await surveyHost(nodeHost), settings);
      if (refusals[0] !== undefined) throw refusals[0];
      return disk;
    };
    const planned = { facts, disk: preflight.disk, planAgain, confirmation };
    return stage(nodeHost, options, source, planned);
  }
  const { readTakeOverStatus } = await import('../install/hijack/take-over/read-status.ts');
  const { describeTakeOverStatus } = await import('./hijack-status-text.ts');
  const last = await readTakeOverStatus(nodeHost);
  print(
    options.json,
    { ...(await toJson(facts, commit, preflight, wishOf(options))), takeOver: last },
    () =>
      [
        describePreflight(facts, commit, preflight, wishOf(options)),
        ...(last.state === 'none' ? [] : ['The last take-over:', describeTakeOverStatus(last)]),
      ].join('\n'),
  );
  if (first === undefined) return;
  // All of them are in what was printed; the exit status is that of the first.
  if (others.length > 0 && !options.json) {
    process.stderr.write(`${preflight.refusals.length} things are in the way, the first:\n`);
  }
  throw first;
}

/** What is not taken over yet, where nothing else is in the way. */
async function roadRefusals(host: Host, facts: HostFacts, { refusals, disk }: Preflight) {
  if (refusals.length > 0 || disk === undefined) return [];
  const { findRoad } = await import('../install/hijack/take-over/road.ts');
  try {
    await findRoad(host, facts, disk);
    return [];
  } catch (error) {
    if (error instanceof PineError) return [error];
    throw error;
  }
}

/** Prepares the take-over: the next boot starts it. */
async function stage(
  host: Host,
  options: Options,
  source: CommitSource,
  planned: {
    readonly facts: HostFacts;
    readonly disk: DiskPlan | undefined;
    readonly confirmation: Confirmation;
    planAgain(): Promise<DiskPlan | undefined>;
  },
): Promise<void> {
  const { stageTakeOver } = await import('../install/hijack/take-over/stage.ts');
  const { newDeploymentId } = await import('../deploy/deployments.ts');
  const { standardTrial } = await import('../deploy/configuration.ts');
  const { terminalProgress } = await import('./progress.ts');
  const { systemClock } = await import('../ports/clock.ts');
  const { describeSteps } = await import('./take-over-text.ts');
  const { facts } = planned;
  const required = (disk: DiskPlan | undefined) => {
    if (disk === undefined) throw new RangeError('no plan, and nothing in the way');
    return disk;
  };
  const progress = terminalProgress();
  const repository = await openRemote(source);
  try {
    const staged = await stageTakeOver({
      ...{ host, facts, disk: required(planned.disk), remote: source.remote },
      keyTexts: source.keyTexts,
      kexec: options.kexec === true,
      oldSystem: wishOf(options),
      planAgain: async () => required(await planned.planAgain()),
      source: { remote: repository, ref: source.ref, keys: source.keys },
      newDeploymentId: (commit) => newDeploymentId(commit, new Set()),
      tries: standardTrial.tries,
      confirmation: planned.confirmation,
      clock: systemClock.now,
      progress: progress.report,
      note: (text) => process.stderr.write(`note: ${text}\n`),
    });
    progress.end();
    print(options.json, { staged: true, ...staged }, () =>
      [
        `Staged: commit ${staged.commit.slice(0, 12)}. Nothing but /boot/pine-hijack and /boot/grub/custom.cfg${facts.machine.firmware === 'bios' ? '' : ' (and new folders beside \\EFI\\debian)'} was written.`,
        `It took: ${describeSteps(staged.times)}.`,
        `${describeConfirmation(planned.confirmation)}, else Debian comes back.`,
        options.kexec === true
          ? 'The installer is in memory: `systemctl kexec` starts it. A power cut forgets it, as a reboot of Debian 12 does.'
          : 'The next boot starts the installer, once: reboot.',
        'To take it away: pinectl hijack --cancel',
      ].join('\n'),
    );
  } finally {
    progress.end();
    await repository.close();
  }
}

async function cancel(host: Host, options: Options): Promise<void> {
  const { cancelTakeOver } = await import('../install/hijack/take-over/activate.ts');
  const canceled = await cancelTakeOver(host);
  print(options.json, { canceled }, () =>
    canceled ? 'The take-over is taken away: the next boot is an ordinary one' : 'None is staged',
  );
}

async function readLayouts(path: string | undefined) {
  const { parseLayout } = await import('../disk/layout.ts');
  if (path !== undefined) {
    const { readText } = await import('./input-file.ts');
    return [parseLayout(await readText(path, largestLayout), path)];
  }
  const { readAsset } = await import('../asset.ts');
  return [
    parseLayout(readAsset('layouts/vm.cfg'), 'vm.cfg'),
    parseLayout(readAsset('layouts/vm-small.cfg'), 'vm-small.cfg'),
  ];
}

/** Where the commit is, and the keys it must be signed with; nothing when none is named. */
interface CommitSource {
  readonly remote: string;
  readonly ref: string;
  readonly keys: readonly PublicKey[];
  readonly keyTexts: readonly string[];
}

async function commitSource(options: Options): Promise<CommitSource | undefined> {
  const { remote, ref, key: paths = [] } = options;
  if (remote === undefined && ref === undefined && paths.length === 0) return undefined;
  if (remote === undefined || ref === undefined || paths.length === 0) {
    throw usage('--remote URL --ref REF --key FILE, all three or none', 'some of them');
  }
  const { keyFileLimit, parsePublicKey } = await import('../trust/key-file.ts');
  const { readText } = await import('./input-file.ts');
  const keys: PublicKey[] = [];
  const keyTexts: string[] = [];
  for (const path of paths) {
    const text = await readText(path, keyFileLimit);
    keys.push(parsePublicKey(text, path));
    keyTexts.push(text);
  }
  return { remote, ref, keys, keyTexts };
}

async function openRemote({ remote }: CommitSource) {
  const { openSource } = await import('../remote/open-source.ts');
  const { RemoteRepository } = await import('../remote/remote-repository.ts');
  return new RemoteRepository(await openSource(remote));
}

async function readCommit(source: CommitSource, facts: HostFacts): Promise<CommitFacts> {
  const { readCommitFacts } = await import('../install/hijack/commit-facts.ts');
  const repository = await openRemote(source);
  try {
    return await readCommitFacts(repository, source.ref, source.keys, facts.devices);
  } finally {
    await repository.close();
  }
}

/** Everything that was found out, and what /etc will have of it. */
async function toJson(
  facts: HostFacts,
  commit: CommitFacts | undefined,
  preflight: Preflight,
  oldSystem: OldSystemWish | undefined,
) {
  const { writeInterfaces, writeMacTab, writeResolvConf } = await import(
    '../install/hijack/network/interfaces-file.ts'
  );
  const { network } = facts.network;
  const files = {
    '/etc/network/interfaces': writeInterfaces(network),
    '/etc/mactab': writeMacTab(network),
    '/etc/resolv.conf': writeResolvConf(network),
  };
  const possible = preflight.refusals.length === 0;
  return { possible, ...preflight, oldSystem: oldSystem ?? null, commit, facts, files };
}
