import { cutAt, type PowerCut } from './power-cut.ts';
import type { WriteLog } from './write-log.ts';

/**
 * So many power cuts after the request `from` and up to `to`, spread over them: one at a place by chance in each part of equal
 * length. Every second one loses what was not flushed, by chance.
 */
export function chooseCuts(
  log: WriteLog,
  { from, to }: { readonly from: number; readonly to: number },
  count: number,
  random: (below: number) => number,
): PowerCut[] {
  return Array.from({ length: count }, (_, index) => {
    const part = (to - from) / count;
    const at = from + 1 + Math.floor(index * part + (random(1 << 20) / (1 << 20)) * part);
    return cutAt(log, Math.min(at, to), index % 2 === 0 ? random : undefined);
  });
}
