import { execFile } from 'node:child_process';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PineError } from '../error.ts';
import type { BlockDevice, BlockDeviceOpener } from '../ports/block-device.ts';
import { directUnit } from '../ports/page-aligned.ts';
import { DirectFile } from './direct-file.ts';
import { shortRead } from './short-read.ts';
import { slice } from './slice.ts';

const run = promisify(execFile);

/** The part of a device node or disk image file that is meant; by default all of it. Bytes. */
export interface DevicePart {
  readonly start: number;
  readonly size: number;
}

/**
 * Opens a device node or a file, or a part of one. `name` is what messages call it. Whole pages in memory of
 * `pageAlignedBuffer` go past the page cache.
 */
export function nodeBlockDevice(
  path: string,
  part?: DevicePart,
  name: string = path,
): BlockDeviceOpener {
  return {
    name,
    async open(mode) {
      const device = await openWhole(path, mode);
      try {
        return part === undefined ? device : slice(device, part.start, part.size);
      } catch (error) {
        await device.close();
        throw error;
      }
    },
    dropCache: () => dropCache(path),
  };
}

async function openWhole(path: string, mode: 'read' | 'write'): Promise<BlockDevice> {
  const handle = await open(path, mode === 'read' ? 'r' : 'r+');
  const direct = new DirectFile(path, mode);
  try {
    const size = await measure(handle, path);
    return {
      size,
      unit: directUnit,
      async read(position, length, into = Buffer.allocUnsafe(length)) {
        const bytes = into.subarray(0, length);
        const done = await direct.read(position, bytes);
        await readFully(handle, path, position + done, bytes.subarray(done));
        return bytes;
      },
      async write(position, bytes) {
        let done = await direct.write(position, bytes);
        // A single write unless the system cuts it short.
        while (done < bytes.length) {
          const rest = bytes.subarray(done);
          done += (await handle.write(rest, 0, rest.length, position + done)).bytesWritten;
        }
      },
      flush: () => handle.datasync(),
      async close() {
        await direct.close();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The size in bytes. A block device's is not in its status, but in sysfs, by its number. */
async function measure(handle: FileHandle, path: string): Promise<number> {
  const status = await handle.stat();
  if (status.isFile()) return status.size;
  if (!status.isBlockDevice()) {
    throw new PineError('INPUT_DEVICE', 'this is neither a block device nor a disk image', {
      expected: 'a block device or a regular file',
      found: status.isDirectory() ? 'a folder' : `mode ${status.mode.toString(8)}`,
      where: path,
      remedy: 'name another',
    });
  }
  const [major, minor] = deviceNumbers(status.rdev);
  const sectors = await readSmall(`/sys/dev/block/${major}:${minor}/size`);
  return Number(sectors) * 512;
}

/** Major and minor of a device number, as Linux packs them into 64 bits. */
function deviceNumbers(number: number): [major: number, minor: number] {
  const bits = BigInt(number);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}

async function readSmall(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    return (await handle.readFile('latin1')).trim();
  } finally {
    await handle.close();
  }
}

async function readFully(
  handle: FileHandle,
  path: string,
  position: number,
  bytes: Buffer,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.length - done;
    const { bytesRead } = await handle.read(bytes, done, rest, position + done);
    if (bytesRead === 0) throw shortRead(path, position, bytes.length, done);
    done += bytesRead;
  }
}

/**
 * Drops what the kernel has cached. `blockdev --flushbufs` does it for a device once nobody has it open;
 * for a file, dd's `nocache` asks for POSIX_FADV_DONTNEED, which Node has no call for.
 */
async function dropCache(path: string): Promise<void> {
  const isDevice = (await stat(path)).isBlockDevice();
  const [program, ...args] = isDevice
    ? ['blockdev', '--flushbufs', path]
    : ['dd', `if=${path}`, 'iflag=nocache', 'count=0', 'status=none'];
  try {
    await run(program ?? '', args);
  } catch (error) {
    // A disk image file may live where there is no GNU dd; what was written was flushed all the same.
    if (!isDevice) return;
    throw new PineError('PROGRAM_BLOCKDEV', 'the cache of a device could not be dropped', {
      expected: `\`blockdev --flushbufs ${path}\` to succeed`,
      found: error instanceof Error ? error.message : String(error),
      where: path,
      remedy: 'install blockdev (util-linux or busybox) and run the command again',
      cause: error,
    });
  }
}
