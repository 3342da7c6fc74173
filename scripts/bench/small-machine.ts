import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBenchMachine } from './bench-machine.ts';

/** Makes the smallest machine that pinectl works on: a disk image with one small signed commit. Returns its options. */
export async function makeSmallMachine(folder: string): Promise<readonly string[]> {
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'file'), 'content');
  return (await makeBenchMachine(folder, [tree])).options;
}
