import type { Progress } from '../ports/progress.ts';
import { formatBytes } from './output.ts';

/** A progress line on stderr with bytes and time left; silent when it is not a terminal. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): {
  report: Progress;
  end(): void;
} {
  if (!stream.isTTY) return { report: () => {}, end: () => {} };
  const started = Date.now();
  let shown = 0;
  return {
    report(done, total, doing) {
      const now = Date.now();
      if (now - shown < 100 && done < total) return;
      shown = now;
      const left = done > 0 ? ((now - started) * (total - done)) / done / 1000 : 0;
      const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
      stream.write(
        `\r\x1b[K${doing} ${percent} % (${formatBytes(done)} of ${formatBytes(total)}, ${Math.ceil(left)} s left)`,
      );
    },
    end() {
      stream.write('\r\x1b[K');
    },
  };
}
