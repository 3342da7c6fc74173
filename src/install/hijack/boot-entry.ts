import { readGuid } from '../../disk/gpt.ts';

/** A file that UEFI starts, as one of its boot entries names it. */
export interface StartedFile {
  /** The GUID of its partition, lower case; `undefined` where the entry names none. */
  readonly partition: string | undefined;
  /** As `\\EFI\\debian\\shimx64.efi`. */
  readonly path: string;
}

const media = 4;
const [hardDrive, filePath] = [1, 4];
const guidOfPartition = 2;

/**
 * Reads which file a variable `Boot####` names; `undefined` when it names none, or is damaged.
 * Source: UEFI 2.10, 3.1.3 and 10.3.5.
 */
export function bootEntryOf(option: Buffer): StartedFile | undefined {
  if (option.length < 8) return undefined;
  const length = option.readUInt16LE(4);
  let at = 6;
  while (at + 2 <= option.length && option.readUInt16LE(at) !== 0) at += 2; // its description
  at += 2;
  const end = Math.min(at + length, option.length);
  let partition: string | undefined;
  while (at + 4 <= end) {
    const size = option.readUInt16LE(at + 2);
    if (size < 4 || at + size > end) return undefined;
    const [type, kind] = [option.readUInt8(at), option.readUInt8(at + 1)];
    if (type === media && kind === hardDrive && size === 42) {
      if (option.readUInt8(at + 41) === guidOfPartition) partition = readGuid(option, at + 24);
    }
    if (type === media && kind === filePath) {
      return {
        partition,
        path: option.toString('utf16le', at + 4, at + size).replace(/\0.*$/s, ''),
      };
    }
    at += size;
  }
  return undefined;
}
