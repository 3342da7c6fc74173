import { formatBytes } from '../../src/cli/output.ts';
import type { Contestant, Result } from './measurement.ts';

/** A result as text: one line per contestant, with the ratios of pine's time and bytes to its own, and the notes. */
export function formatResult(name: string, { what, contestants, notes }: Result): string {
  const rows = contestants.map((contestant) => {
    const { peer = contestants[0]?.name } = contestant;
    return row(
      contestant,
      contestants.find((each) => each.name === peer),
    );
  });
  const head = ['', 'median', 'runs', 'pine takes', 'processor', 'pine takes', 'memory', ''];
  return [
    `${name}: ${what}`,
    ...align([head, ...rows]).map((line) => `  ${line}`),
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n');
}

function row(contestant: Contestant, first: Contestant | undefined): string[] {
  return [
    contestant.name,
    `${contestant.seconds.toFixed(2)} s`,
    `${Math.min(...contestant.runs).toFixed(2)} to ${Math.max(...contestant.runs).toFixed(2)}`,
    ratio(first, contestant, ({ seconds }) => seconds),
    `${contestant.processor.toFixed(2)} s`,
    ratio(first, contestant, ({ processor }) => processor),
    contestant.peakMemory === undefined ? '-' : formatBytes(contestant.peakMemory),
    Object.entries(contestant.bytes ?? {})
      .map(([label, bytes]) => {
        const times = ratio(first, contestant, (each) => each.bytes?.[label]);
        return `${label} ${formatBytes(bytes)}${times && ` (${times})`}`;
      })
      .join(', '),
  ];
}

/** How many times the contestant's figure the first one's is. */
function ratio(
  first: Contestant | undefined,
  contestant: Contestant,
  figure: (contestant: Contestant) => number | undefined,
): string {
  const [ours, theirs] = [first && figure(first), figure(contestant)];
  if (contestant === first || ours === undefined || !theirs) return '';
  return `${(ours / theirs).toFixed(2)} ×`;
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('   ')
      .trimEnd(),
  );
}
