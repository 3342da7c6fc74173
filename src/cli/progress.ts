import type { Progress, ProgressUnit } from '../ports/progress.ts';
import { formatBytes } from './output.ts';

/** How far something is. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
  readonly doing: string;
  readonly unit: ProgressUnit;
  /** Since it began. */
  readonly seconds: number;
}

const longestBar = 30;

/** A bar with percent, amounts and the time left, as wide as a terminal of so many columns lets it be. */
export function progressLine(
  { done, total, doing, unit, seconds }: ProgressState,
  columns: number,
): string {
  const part = total > 0 ? Math.min(1, done / total) : 1;
  const amount = (value: number) => (unit === 'bytes' ? formatBytes(value) : String(value));
  const left = part > 0 ? Math.ceil((seconds * (1 - part)) / part) : undefined;
  const rest = left === undefined ? '' : `, ${left} s left`;
  const text = `${String(Math.floor(100 * part)).padStart(3)} % ${amount(done)} of ${amount(total)}${rest}`;
  const room = columns - doing.length - text.length - 5;
  if (room < 5) return `${doing} ${text}`.slice(0, columns - 1);
  const width = Math.min(longestBar, room);
  const full = Math.floor(width * part);
  return `${doing} [${'#'.repeat(full)}${'-'.repeat(width - full)}] ${text}`;
}

/** A progress bar on stderr; silent when that is not a terminal, or what is printed goes elsewhere. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): {
  report: Progress;
  end(): void;
} {
  if (!stream.isTTY || !process.stdout.isTTY) return { report: () => {}, end: () => {} };
  let started = Date.now();
  let shown = 0;
  let last = '';
  return {
    report(done, total, doing, unit = 'bytes') {
      const now = Date.now();
      // Each step has a time of its own: one that hashes tells nothing of one that stores.
      if (doing !== last) started = now;
      if (doing === last && now - shown < 100 && done < total) return;
      [shown, last] = [now, doing];
      const state = { done, total, doing, unit, seconds: (now - started) / 1000 };
      stream.write(`\r\x1b[K${progressLine(state, stream.columns || 80)}`);
    },
    end() {
      stream.write('\r\x1b[K');
    },
  };
}
