import type { Difference } from '../etc/history/compare.ts';
import { differenceText } from '../etc/history/difference-text.ts';
import type { ItemSource } from '../etc/history/item.ts';
import { showPath } from './etc-path.ts';

export interface DifferenceOptions {
  readonly json?: boolean;
  readonly secrets?: boolean;
  readonly nameOnly?: boolean;
}

/**
 * Prints differences one by one: their text, or with --name-only their paths. With --json they are collected and
 * returned instead.
 */
export async function printDifferences(
  old: ItemSource,
  current: ItemSource,
  differences: AsyncIterable<Difference>,
  { json = false, secrets = false, nameOnly = false }: DifferenceOptions,
): Promise<readonly object[]> {
  const collected: object[] = [];
  for await (const difference of differences) {
    const { path, change, aspects } = difference;
    const text = nameOnly
      ? `${showPath(path)}\n`
      : await differenceText(old, current, difference, { secrets });
    if (json) collected.push({ path, change, aspects, ...(nameOnly ? {} : { text }) });
    else process.stdout.write(text);
  }
  return collected;
}
