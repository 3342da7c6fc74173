import type { PositionedReader } from './positioned-reader.ts';

/**
 * Puts a small cache of the pages read last in front of a reader, for many small reads near each
 * other. Holds at most `pages` pages of `pageSize` bytes.
 */
export function cachePages(
  reader: PositionedReader,
  { pageSize, pages }: { readonly pageSize: number; readonly pages: number },
): PositionedReader {
  // A Map keeps the order of insertion: the first key is the page used longest ago.
  const cache = new Map<number, Buffer>();

  const readPage = async (number: number): Promise<Buffer> => {
    const known = cache.get(number);
    const from = number * pageSize;
    const page = known ?? (await reader.read(from, Math.min(pageSize, reader.size - from)));
    cache.delete(number);
    cache.set(number, page);
    const [oldest] = cache.keys();
    if (cache.size > pages && oldest !== undefined) cache.delete(oldest);
    return page;
  };

  return {
    size: reader.size,
    read: async (position, length) => {
      if (position < 0 || position + length > reader.size) {
        throw new RangeError(`${length} bytes at ${position} are not all in ${reader.size}`);
      }
      const first = Math.floor(position / pageSize);
      const inFirst = position - first * pageSize;
      if (inFirst + length <= pageSize) {
        return length === 0
          ? Buffer.alloc(0)
          : (await readPage(first)).subarray(inFirst, inFirst + length);
      }
      const found: Buffer[] = [];
      for (let number = first; number * pageSize < position + length; number++) {
        found.push(await readPage(number));
      }
      return Buffer.concat(found).subarray(inFirst, inFirst + length);
    },
  };
}
