import { PineError } from '../error.ts';
import type { ItemSource } from '../etc/history/item.ts';
import { etcPath, showPath } from './etc-path.ts';
import { configurationFolder, type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

interface Options extends MachineOptions {
  readonly to?: string;
  readonly default?: boolean;
  readonly force?: boolean;
}

/** `pinectl etc revert`. */
export async function revert(argument: string, options: Options): Promise<void> {
  const path = etcPath(argument);
  const { to } = options;
  if (to !== undefined && options.default) {
    throw new PineError('USAGE_COMMAND_LINE', 'there is one way back at a time', {
      expected: '--to REVISION or --default',
      found: 'both',
      where: 'the command line',
      remedy: 'leave one of them out',
    });
  }
  const { withDefault } = await import('../deploy/etc-history/present.ts');
  const { openHistory, revisionSource } = await import('../deploy/etc-history/sources.ts');
  const { revertEtc } = await import('../deploy/etc-history/revert-etc.ts');
  const machine = await openMachine(options);
  const { readSettings } = await import('../deploy/lenient-configuration.ts');
  const { etc } = await readSettings(machine, configurationFolder(machine, options), note);
  const run = async (source: ItemSource) => {
    const force = options.force === true;
    const { restored, left } = await revertEtc(machine, source, path, { ...etc, force, note });
    print(options.json, { from: source.name, restored, left }, () =>
      [
        ...restored.map((name) => `${showPath(name)}: as in ${source.name}`),
        ...left.map((name) => `${showPath(name)}: left alone, as ${source.name} does not have it`),
        ...(restored.length + left.length === 0 ? ['nothing differs'] : []),
      ].join('\n'),
    );
  };
  if (to === undefined) await withDefault(machine, run);
  else await run(await revisionSource(await openHistory(machine), to));
}
