import { PineError } from '../error.ts';
import { etcPath, showPath } from './etc-path.ts';
import { type MachineOptions, openMachine } from './machine-options.ts';
import { print } from './output.ts';

/** `pinectl etc resolve`. */
export async function resolve(
  argument: string,
  options: MachineOptions & { readonly keep?: boolean; readonly take?: boolean },
): Promise<void> {
  if (options.keep && options.take) {
    throw new PineError('USAGE_COMMAND_LINE', 'a conflict is settled one way or the other', {
      expected: '--keep or --take',
      found: 'both',
      where: 'the command line',
      remedy: 'say which side counts',
    });
  }
  const { resolveConflict } = await import('../deploy/etc/resolve.ts');
  const machine = await openMachine(options);
  const side = options.take ? 'take' : 'keep';
  const { path } = await resolveConflict(machine, etcPath(argument), side);
  print(options.json, { path, side }, () =>
    side === 'keep'
      ? `${showPath(path)} stays as it is`
      : `${showPath(path)} is the release's; what was here is ${showPath(`${path}.pine-old`)}`,
  );
}
