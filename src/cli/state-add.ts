import { underLock } from '../deploy/under-lock.ts';
import { type MachineOptions, openMachine } from './machine-options.ts';
import { print } from './output.ts';

/** `pinectl state add`. */
export async function add(path: string, options: MachineOptions): Promise<void> {
  const { addKeptPath } = await import('../deploy/kept/add-path.ts');
  const { stateFolderOf } = await import('../deploy/kept/state-list.ts');
  const machine = await openMachine(options);
  await underLock(machine, async () => {
    await addKeptPath(machine, path);
  });
  const folder = `${machine.data}/state/${stateFolderOf(path)}`;
  print(options.json, { path, folder }, () => `${path} stays from the next boot on, in ${folder}`);
}
