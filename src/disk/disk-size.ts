import { PineError } from '../error.ts';

const factors: Readonly<Record<string, number>> = {
  '': 1,
  ...{ K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
  ...{ KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
};

/**
 * Reads the size of a disk in bytes: `2G` and `2GiB` are 2 × 1024³, `2GB` is 2 × 1000³ as sellers of disks count.
 * Rounded down to whole sectors. Throws USAGE_DISK_SIZE.
 */
export function parseDiskSize(text: string): number {
  const match = /^(\d{1,12})([KMGT]?(?:i?B)?)$/.exec(text);
  const bytes = Number(match?.[1] ?? Number.NaN) * (factors[match?.[2] ?? ''] ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes >= 512) return bytes - (bytes % 512);
  throw new PineError('USAGE_DISK_SIZE', 'this is not the size of a disk', {
    expected: 'a number of bytes, or one with K, M, G, T (binary) or KB, MB, GB, TB (decimal)',
    found: text,
    where: '--size',
    remedy: 'give a size such as 2G',
  });
}
