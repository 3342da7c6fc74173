import { PineError } from '../error.ts';
import { compare, type Difference } from '../etc/history/compare.ts';
import type { ItemSource } from '../etc/history/item.ts';
import { type DifferenceOptions, printDifferences } from './etc-differences.ts';
import { etcPath } from './etc-path.ts';
import { type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

interface Options extends MachineOptions, DifferenceOptions {
  readonly json?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly sinceUpgrade?: boolean;
}

/** `pinectl etc diff`. */
export async function diff(argument: string | undefined, options: Options): Promise<void> {
  const { from, to } = options;
  const path = etcPath(argument);
  if (options.sinceUpgrade) return diffSinceUpgrade(path, options);
  const { presentSource, withDefault } = await import('../deploy/etc-history/present.ts');
  const machine = await openMachine(options);
  // Only what was recorded needs the repository.
  const named = async (name: string) => {
    const { openHistory, revisionSource } = await import('../deploy/etc-history/sources.ts');
    return revisionSource(await openHistory(machine), name);
  };
  const current = to === undefined ? await presentSource(machine) : await named(to);
  const show = (old: ItemSource) => showAll(old, current, compare(old, current, path), options);
  if (from === undefined) await withDefault(machine, show);
  else await show(await named(from));
}

async function diffSinceUpgrade(path: string, options: Options): Promise<void> {
  if (options.from !== undefined || options.to !== undefined) {
    throw new PineError('USAGE_COMMAND_LINE', '--since-upgrade says from where to where', {
      expected: '--since-upgrade, or --from and --to',
      found: 'both',
      where: 'the command line',
      remedy: 'leave one of them out',
    });
  }
  const { sinceUpgrade } = await import('../deploy/etc-history/sources.ts');
  const machine = await openMachine(options);
  const { old, current, elsewhere, offered } = await sinceUpgrade(machine);
  if (elsewhere === 'left') note(`the upgrade was left: this is from ${current.name}`);
  if (elsewhere === 'armed') note(`the upgrade waits for its reboot: this is from ${current.name}`);
  await showAll(old, current, only(compare(old, current, path), offered), options);
}

/** After a rollback: what is in /etc already is not offered again. */
async function* only(
  differences: AsyncIterable<Difference>,
  paths: ReadonlySet<string> | undefined,
): AsyncGenerator<Difference> {
  for await (const difference of differences) {
    if (paths?.has(difference.path) !== false) yield difference;
  }
}

async function showAll(
  old: ItemSource,
  current: ItemSource,
  differences: AsyncIterable<Difference>,
  options: Options,
): Promise<void> {
  const collected = await printDifferences(old, current, differences, options);
  if (options.json) {
    print(true, { from: old.name, to: current.name, differences: collected }, () => '');
  }
}
