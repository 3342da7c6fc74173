import { PineError } from '../../error.ts';
import type { BlockDeviceOpener } from '../../ports/block-device.ts';
import { cachePages } from '../../ports/page-cache.ts';
import { locateFile } from './ext4-file.ts';

/** Reads a whole file of the boot partition, of at most 4 MiB. */
export async function readBootFile(boot: BlockDeviceOpener, path: string): Promise<Buffer> {
  const device = await boot.open('read');
  try {
    // What finds a file lies close together: each small read is a wait of its own.
    const nearby = { ...device, ...cachePages(device, { pageSize: 65_536, pages: 8 }) };
    const { pieces } = await locateFile(nearby, boot.name, path);
    const parts: Buffer[] = [];
    for (const { position, length } of pieces) parts.push(await device.read(position, length));
    return Buffer.concat(parts);
  } finally {
    await device.close();
  }
}

/**
 * Rewrites the first bytes of a file of the boot partition where they lie: one write for each
 * piece, flushed, then read back from the medium. The file never changes its size.
 *
 * Throws CORRUPT_BOOT_FILE when the file is smaller than `bytes`, or not what was written when it is read back.
 */
export async function rewriteBootFile(
  boot: BlockDeviceOpener,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const device = await boot.open('write');
  try {
    const { size, pieces } = await locateFile(device, boot.name, path);
    if (size < bytes.length) throw damaged(boot, path, `${bytes.length} bytes`, `${size}`);
    let done = 0;
    for (const { position, length } of pieces) {
      if (done === bytes.length) break;
      const part = bytes.subarray(done, done + length);
      await device.write(position, part);
      done += part.length;
    }
    await device.flush(); // S6
  } finally {
    await device.close();
  }
  await boot.dropCache();
  const found = await readBootFile(boot, path);
  if (Buffer.compare(found.subarray(0, bytes.length), bytes) !== 0) {
    throw damaged(boot, path, 'the bytes that were just written', 'others');
  }
}

function damaged(boot: BlockDeviceOpener, path: string, expected: string, found: string) {
  return new PineError('CORRUPT_BOOT_FILE', 'a file on the boot partition can not be rewritten', {
    expected,
    found,
    where: `${boot.name}, ${path}`,
    remedy: 'check the disk, then install the boot loader again',
  });
}
