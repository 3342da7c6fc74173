import type { Kept, KeptPath } from '../deploy/kept/kept-paths.ts';
import { type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

/** `pinectl state list`. */
export async function list(options: MachineOptions): Promise<void> {
  const { readKept } = await import('../deploy/kept/kept-paths.ts');
  const machine = await openMachine(options);
  const kept = await readKept(machine);
  print(options.json, kept, () => kept.paths.map(describe).join('\n'));
  if (!options.json) tellPassedOver(kept);
}

/** Names the lines of the lists that count for nothing. */
function tellPassedOver({ passedOver }: Kept): void {
  for (const { file, line, text, why } of passedOver) note(`${file}:${line}: ${text}: ${why}`);
}

function describe({ path, listedBy, folder, mounted }: KeptPath): string {
  const state = mounted ? '' : '  (not now: from the next boot on, if the image has it)';
  return `${path.padEnd(20)} ${listedBy.padEnd(8)} ${folder}${state}`;
}
