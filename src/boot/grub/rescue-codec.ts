import { createHash } from 'node:crypto';
import { PineError } from '../../error.ts';

/** Bytes of each of `grub/rescue-0` and `grub/rescue-1`. */
export const rescueSize = 128 * 1024;
/** The first line, padded with zeros to a sector. The tar follows. */
const headerSize = 512;

/** One copy: how new it is, and the tar. */
export interface RescueCopy {
  /** Counts up; the higher one is the newer. */
  readonly sequence: number;
  readonly tar: Buffer;
}

/** Writes a copy: `pine-rescue 1 SEQUENCE LENGTH SHA256`, then the tar. Throws SPACE_RESCUE. */
export function encodeRescue({ sequence, tar }: { sequence: number; tar: Uint8Array }): Buffer {
  if (tar.length > rescueSize - headerSize) {
    throw new PineError('SPACE_RESCUE', 'the rescue copy does not fit', {
      expected: `at most ${rescueSize - headerSize} bytes`,
      found: `${tar.length} bytes`,
      where: 'the boot partition',
      remedy: 'make the network configuration or the authorized keys smaller',
    });
  }
  const sha256 = createHash('sha256').update(tar).digest('hex');
  const header = Buffer.alloc(headerSize);
  header.write(`pine-rescue 1 ${sequence} ${tar.length} ${sha256}\n`, 'latin1');
  return Buffer.concat([header, tar]);
}

/** Reads a copy; `undefined` when it is empty, torn or damaged. */
export function decodeRescue(bytes: Buffer): RescueCopy | undefined {
  const header = bytes.toString('latin1', 0, headerSize);
  const match = /^pine-rescue 1 (\d{1,15}) (\d{1,6}) ([0-9a-f]{64})\n\0*$/.exec(header);
  if (match === null) return undefined;
  const [, sequence, length, sha256] = match;
  const tar = bytes.subarray(headerSize, headerSize + Number(length));
  if (tar.length !== Number(length)) return undefined;
  if (createHash('sha256').update(tar).digest('hex') !== sha256) return undefined;
  return { sequence: Number(sequence), tar };
}
