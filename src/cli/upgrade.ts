import type { Command } from 'commander';
import type { AutomaticOutcome } from '../deploy/automatic/run-automatic.ts';
import type { UpgradeRemote } from '../deploy/upgrade/survey.ts';
import type { Way } from '../deploy/upgrade/ways.ts';
import type { UpgradeOptions, UpgradeOutcome, UpgradePreview } from '../deploy/upgrade.ts';
import { describeConflict } from './conflict-text.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  note,
  openMachine,
} from './machine-options.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';

export interface UpgradeCommandOptions extends MachineOptions {
  readonly bundle?: string;
  readonly check?: boolean;
  readonly plan?: boolean;
  readonly automatic?: boolean;
  readonly strict?: boolean;
  readonly retry?: boolean;
  readonly allowDowngrade?: boolean;
  readonly reboot: boolean;
}

export function define(command: Command): void {
  addUpgradeOptions(addMachineOptions(command))
    .option('--automatic', 'do what [automatic] of pinectl.toml says for this time of day')
    .option('--bundle <file>', 'upgrade from a bundle instead of the remote')
    .addHelpText(
      'after',
      `
Examples:
  pinectl upgrade --plan             what an upgrade would fetch by each way, and which is taken
  pinectl upgrade                    write the other slot, reboot, try it, keep it or fall back
  pinectl upgrade --automatic        for crond, every quarter of an hour
  pinectl upgrade --bundle /media/usb/web.bundle
  pinectl upgrade --disk disk.img --state state/`,
    )
    .action(runUpgrade);
}

/** The options that an upgrade has, wherever its bytes come from. */
export function addUpgradeOptions(command: Command): Command {
  return command
    .option('--check', 'say whether there is something new, and do nothing')
    .option('--plan', 'say what each way would take, and do nothing')
    .option('--strict', 'refuse when files under /etc are in conflict')
    .option('--retry', 'take a commit that is held since it was left')
    .option('--allow-downgrade', 'take a commit that is older than the running one')
    .option('--no-reboot', 'stage the new deployment: a reboot of yours arms it');
}

/** `pinectl upgrade`, and `pinectl bundle apply` on a machine. */
export async function runUpgrade(options: UpgradeCommandOptions): Promise<void> {
  const { readConfiguration } = await import('../deploy/configuration.ts');
  const { readTrustedKeys } = await import('../trust/key-folder.ts');
  const { previewUpgrade, upgrade } = await import('../deploy/upgrade.ts');
  const machine = await openMachine(options);
  const folder = configurationFolder(machine, options);
  const configuration = await readConfiguration(machine.files, folder);
  const keys = await readTrustedKeys(machine.files, `${folder}/keys`);
  const remote = await openRemote(configuration.remote, options.bundle);
  const progress = terminalProgress();
  const { retry = false, allowDowngrade = false, strict = false } = options;
  const { plan = false, check = false } = options;
  const common = { configuration, keys, remote, retry, allowDowngrade, strict, note };
  const afterArming: UpgradeOptions['afterArming'] = async (deployment, version) => {
    const { recordSafely } = await import('../deploy/etc-history/record-etc.ts');
    const occasion = { kind: 'upgrade', deployment, version } as const;
    await recordSafely(machine, occasion, { ...configuration.etc, note });
  };
  try {
    if (plan || check) {
      const preview = await previewUpgrade(machine, { ...common, plan });
      print(options.json, preview, () => describePreview(preview));
      return;
    }
    if (options.automatic) {
      const { runAutomatic } = await import('../deploy/automatic/run-automatic.ts');
      const { automatic, hooks } = configuration;
      const { finalizeUnderLock } = await import('../deploy/staging/finalize.ts');
      const unattended = { ...common, strict: strict || automatic.strict, reboot: false };
      const outcome = await runAutomatic(
        machine,
        automatic,
        () => upgrade(machine, unattended),
        () => finalizeUnderLock(machine, { hooks, note, afterArming }),
      );
      progress.end();
      print(options.json, outcome, () => describeAutomatic(outcome));
      return;
    }
    const outcome = await upgrade(machine, {
      ...common,
      reboot: options.reboot,
      progress: progress.report,
      afterArming,
    });
    progress.end();
    print(options.json, outcome, () => describeOutcome(outcome));
  } finally {
    progress.end();
    await remote.close();
  }
}

/** What is upgraded from: the repository of the configuration, or a bundle. */
async function openRemote(place: string, bundle: string | undefined): Promise<UpgradeRemote> {
  if (bundle !== undefined) {
    const { requireBundle } = await import('./bundle-input.ts');
    await requireBundle(bundle);
    const { openBundleRemote } = await import('../bundle/open-bundle-remote.ts');
    return openBundleRemote(bundle);
  }
  const { openSource } = await import('../remote/open-source.ts');
  const { RemoteRepository } = await import('../remote/remote-repository.ts');
  return new RemoteRepository(await openSource(place));
}

function describePreview(preview: UpgradePreview): string {
  const { kind, from, to, slot, imageBytes, plan, ways = [] } = preview;
  if (kind === 'up-to-date') return `up to date: ${name(from)}`;
  if (kind === 'already-armed' || kind === 'staged') {
    return `${name(to ?? from)} waits in slot ${slot} for the reboot`;
  }
  const lines = [`new: ${name(to ?? from)}, signed by ${to?.signedBy}`, `running: ${name(from)}`];
  if (ways.length === 0) return lines.join('\n');
  lines.push(`image: ${formatBytes(imageBytes ?? 0)}, into slot ${slot}`);
  if (plan !== undefined) {
    const { object, range, literal, zeros } = plan.bytes;
    lines.push(
      `without a delta: ${formatBytes(object)} in ${plan.objects} objects to fetch (before compression), plan: ${formatBytes(literal)}`,
      `  to copy from the running slot: ${formatBytes(range)}, zeros: ${formatBytes(zeros)}`,
    );
  }
  return [
    ...lines,
    'ways, the first is taken:',
    ...ways.map(describeWay),
    ...(preview.conflicts ?? []).map(describeConflict),
    ...(preview.hooks ?? []).map((hook) => `a hook is asked: ${hook}`),
    `a rollback would not roll back ${(preview.notRolledBack ?? []).join(', ')}: a database there stays as the new system leaves it`,
  ].join('\n');
}

const wayNames = {
  delta: 'the delta from what runs',
  chain: 'deltas one after the other',
  files: 'files, and ranges of the running slot',
  full: 'the full delta, from nothing',
};

function describeWay({ kind, bytes, figure, links, refusal }: Way): string {
  const count = kind === 'chain' && links.length > 0 ? ` (${links.length})` : '';
  const size = bytes === undefined ? '' : formatBytes(bytes);
  const figures = { exact: size, estimated: `about ${size}`, 'at least': `at least ${size}` };
  const what = [
    bytes === undefined ? [] : [figures[figure]],
    refusal === undefined ? [] : [`no: ${refusal}`],
  ];
  return `  ${wayNames[kind]}${count}: ${what.flat().join('; ') || 'to fetch'}`;
}

/** What was done, in lines. */
export function describeOutcome(outcome: UpgradeOutcome): string {
  const { kind, deployment, slot, fetched, resumedAt = 0, rebooting } = outcome;
  if (kind === 'up-to-date') return `up to date: ${name(outcome)}`;
  const lines = [`${name(outcome)} is in slot ${slot}, as deployment ${deployment}`];
  if (resumedAt > 0) lines.push(`an earlier write was taken up at ${formatBytes(resumedAt)}`);
  if (fetched) {
    lines.push(`fetched ${formatBytes(fetched.bytes)}${countObjects(fetched.objects)}`);
  }
  if (kind === 'staged') lines.push('it is staged: a reboot arms it, and is its trial');
  else lines.push(rebooting ? 'rebooting into its trial' : 'the next boot is its trial');
  return lines.join('\n');
}

/** A delta has none. */
function countObjects(objects: number): string {
  if (objects === 0) return '';
  return `, ${objects} ${objects === 1 ? 'object' : 'objects'} among it`;
}

/** Nothing when nothing was to be done: it is called every quarter of an hour. */
function describeAutomatic({ upgrade, rebooting }: AutomaticOutcome): string {
  const lines = upgrade === undefined ? [] : [`unattended: ${upgrade.kind}: ${upgrade.detail}`];
  if (rebooting) lines.push('unattended: rebooting into the trial');
  return lines.join('\n');
}

function name({ commit, version }: { commit: string; version: string }): string {
  return version === '' ? commit.slice(0, 12) : `${version} (${commit.slice(0, 12)})`;
}
