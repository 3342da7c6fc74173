import { formatBytes } from '../../src/cli/output.ts';
import type { Result } from './measurement.ts';

/** A result as text: one line per contestant, with the ratio of pine's time to its own, and the notes. */
export function formatResult(name: string, { what, contestants, notes }: Result): string {
  const first = contestants[0];
  const rows = contestants.map((contestant) => [
    contestant.name,
    `${contestant.seconds.toFixed(2)} s`,
    `${Math.min(...contestant.runs).toFixed(2)} to ${Math.max(...contestant.runs).toFixed(2)}`,
    contestant === first || first === undefined
      ? ''
      : `${(first.seconds / contestant.seconds).toFixed(2)} ×`,
    contestant.peakMemory === undefined ? '-' : formatBytes(contestant.peakMemory),
    Object.entries(contestant.bytes ?? {})
      .map(([label, bytes]) => `${label} ${formatBytes(bytes)}`)
      .join(', '),
  ]);
  const head = ['', 'median', 'runs', 'pine takes', 'memory', ''];
  return [
    `${name}: ${what}`,
    ...align([head, ...rows]).map((line) => `  ${line}`),
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n');
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
