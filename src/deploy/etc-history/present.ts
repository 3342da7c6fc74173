import { PineError } from '../../error.ts';
import { type ItemSource, presentItems } from '../../etc/history/item.ts';
import { folderTree } from '../../etc/trees/folder-tree.ts';
import type { Machine } from '../machine.ts';
import { withShipped } from './shipped.ts';

/** What the machine uses now. */
export async function presentSource(machine: Machine): Promise<ItemSource> {
  return folderSource(machine, '/etc', machine.etc);
}

/** Gives `use` what the running release ships. Throws NOT_FOUND_ETC_DEFAULT when its slot does not say. */
export async function withDefault<T>(
  machine: Machine,
  use: (source: ItemSource) => Promise<T>,
): Promise<T> {
  const slot = machine.slots[machine.running.slot];
  const result = await withShipped(slot, async (tree, { version, checksum }) => ({
    value: await use(presentItems(`default of ${version || checksum.slice(0, 12)}`, tree, false)),
  }));
  if (result !== undefined) return result.value;
  throw new PineError('NOT_FOUND_ETC_DEFAULT', 'the default is not known', {
    expected: 'a slot with a release',
    found: 'none, or one that is being written',
    where: slot.name,
    remedy: 'see what the slots have: pinectl status',
  });
}

/** What is in a folder. */
export async function folderSource(
  { files }: Machine,
  name: string,
  folder: string,
): Promise<ItemSource> {
  return presentItems(name, await folderTree(files, folder), true);
}
