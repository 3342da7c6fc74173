import type { PositionedReader } from './positioned-reader.ts';

/** Direct I/O takes positions, lengths and memory that are multiples of this: the largest sector there is. */
export const directUnit = 4096;

/** Memory that is known to begin at a page. */
const aligned = new WeakSet<ArrayBufferLike>();

/** The only memory that Node.js gives at a page's beginning is WebAssembly's; its types come with browsers'. */
interface WebAssemblyMemory {
  readonly Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
}
const wasmPage = 65536;

/**
 * Memory for whole pages of a device. What a BlockDevice of Node.js reads into it or writes from it by whole
 * pages goes past the page cache: a small machine's memory stays for what it runs.
 *
 * Where there is no such memory it is ordinary, and so is what is done with it.
 */
export function pageAlignedBuffer(size: number): Buffer {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyMemory };
  const pages = Math.max(1, Math.ceil(size / wasmPage));
  try {
    if (WebAssembly !== undefined) {
      const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
      aligned.add(buffer);
      return Buffer.from(buffer, 0, size);
    }
  } catch (error) {
    // Its address space is larger than its size, and may be limited.
    if (!(error instanceof RangeError)) throw error;
  }
  return Buffer.allocUnsafeSlow(size);
}

/** Whether bytes at this position are whole pages in memory of `pageAlignedBuffer`. */
export function isDirect(position: number, bytes: Uint8Array): boolean {
  return (
    bytes.length > 0 &&
    position % directUnit === 0 &&
    bytes.length % directUnit === 0 &&
    bytes.byteOffset % directUnit === 0 &&
    aligned.has(bytes.buffer)
  );
}

/** How many bytes of memory `readPages` needs for a read of so many. */
export function pagesRoom(length: number): number {
  return (Math.ceil(length / directUnit) + 1) * directUnit;
}

/**
 * Reads `length` bytes, with all of the pages that they lie in where the reader is made for that, into `memory`
 * of `pagesRoom(length)` bytes. Returns those asked for.
 */
export async function readPages(
  reader: PositionedReader,
  position: number,
  length: number,
  memory: Buffer,
): Promise<Buffer> {
  const { unit = 1 } = reader;
  const before = position % unit;
  const start = position - before;
  const end = Math.min(reader.size, start + Math.ceil((before + length) / unit) * unit);
  const bytes = await reader.read(start, Math.max(end - start, before + length), memory);
  return bytes.subarray(before, before + length);
}
