import { readFileSync } from 'node:fs';

/** A row of docs/boot-choice.md: the state of a machine, and what GRUB does. All as written there. */
export interface Row {
  readonly number: string;
  readonly grubenv: string;
  readonly slotA: string;
  readonly slotB: string;
  readonly otherwise: string;
  readonly choice: string;
  readonly slot: string;
  readonly block: string;
  readonly skipped: string;
  readonly writes: string;
}

/** Reads the table out of the page. */
export function readTruthTable(): Row[] {
  const page = readFileSync(new URL('../../../docs/boot-choice.md', import.meta.url), 'utf8');
  const rows: Row[] = [];
  for (const line of page.split('\n')) {
    if (!/^\| \d+ +\|/.test(line)) continue;
    const cells = line.split('|').map((cell) => cell.trim());
    const [, number, grubenv, slotA, slotB, otherwise, choice, slot, block, skipped, writes] =
      cells;
    if (cells.length !== 12) throw new Error(`a row with ${cells.length - 2} cells: ${line}`);
    rows.push({
      ...{ number: number ?? '', grubenv: grubenv ?? '', slotA: slotA ?? '', slotB: slotB ?? '' },
      ...{ otherwise: otherwise ?? '', choice: choice ?? '', slot: slot ?? '', block: block ?? '' },
      ...{ skipped: skipped ?? '', writes: writes ?? '' },
    });
  }
  return rows;
}
