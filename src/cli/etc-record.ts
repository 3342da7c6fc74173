import { underLock } from '../deploy/under-lock.ts';
import { configurationFolder, type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

/** `pinectl etc record`. */
export async function record(
  options: MachineOptions & { readonly message: string; readonly keep?: number },
): Promise<void> {
  const { recordEtc } = await import('../deploy/etc-history/record-etc.ts');
  const machine = await openMachine(options);
  const { readSettings } = await import('../deploy/lenient-configuration.ts');
  const { etc } = await readSettings(machine, configurationFolder(machine, options), note);
  return underLock(machine, async () => {
    const occasion = { kind: 'request', message: options.message } as const;
    const result = await recordEtc(machine, occasion, { keep: options.keep ?? etc.keep, note });
    print(options.json, result, () =>
      result.revision === null ? 'nothing is new' : `recorded ${result.revision.slice(0, 10)}`,
    );
  });
}
