import type { Conflict } from '../etc/conflicts.ts';
import { showPath } from './etc-path.ts';

/** A conflict of /etc in one line. */
export function describeConflict({ path, detail, beside }: Conflict): string {
  const side = beside === undefined ? '' : `; the release's side: /etc/${showPath(beside)}`;
  return `conflict: /etc/${showPath(path)}: ${detail}${side}`;
}
