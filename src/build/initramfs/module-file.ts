import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { PineError } from '../../error.ts';

/** Bytes of the largest module that is taken into an initramfs, unpacked (S9). */
export const largestModule = 16 << 20;

/**
 * Unpacks a kernel module: `.ko` as it is, `.ko.gz` (Alpine) and `.ko.zst`.
 *
 * busybox's insmod can't unpack, and a cpio of plain modules is what makes small deltas.
 * Throws INPUT_MODULE for `.ko.xz`, for damage, and for what is no ELF file inside.
 */
export function unpackModule(bytes: Buffer, path: string): Buffer {
  const content = unpack(bytes, path);
  if (content.length < 64 || content.readUInt32BE(0) !== 0x7f454c46) {
    throw badModule(path, 'an ELF file', 'something else');
  }
  return content;
}

function unpack(bytes: Buffer, path: string): Buffer {
  const options = { maxOutputLength: largestModule };
  try {
    if (path.endsWith('.gz')) return gunzipSync(bytes, options);
    if (path.endsWith('.zst')) return zstdDecompressSync(bytes, options);
  } catch (error) {
    throw badModule(path, 'a whole compressed file', (error as Error).message);
  }
  if (path.endsWith('.ko')) return bytes;
  throw badModule(path, '.ko, .ko.gz or .ko.zst', 'a compression that pine does not read');
}

function badModule(path: string, expected: string, found: string): PineError {
  return new PineError('INPUT_MODULE', "a kernel module can't be used", {
    expected,
    found,
    where: path,
    remedy: "install the kernel's modules again, or unpack them: `commit --expand-compressed`",
  });
}
