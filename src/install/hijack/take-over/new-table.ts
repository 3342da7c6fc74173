import type { EncodedGpt } from '../../../disk/encode-gpt.ts';
import { gptSize } from '../../../disk/encode-gpt.ts';

/** Bytes of a table, and where on the disk they go. */
export interface TablePiece {
  readonly file: string;
  readonly start: number;
  readonly bytes: Buffer;
}

const sector = 512;
const entriesPerSector = 4;

/**
 * The pieces of a GPT for a disk that has an MBR, in their order. Neither GRUB nor the kernel looks at them
 * before the first sector, which is last, says that there is a GPT.
 */
export function tableOverMbr(gpt: EncodedGpt, diskSize: number, finalSector: Buffer): TablePiece[] {
  return [
    backup(gpt, diskSize),
    { file: 'primary-table', start: sector, bytes: gpt.primary },
    { file: 'final-sector', start: 0, bytes: finalSector },
  ];
}

/**
 * The pieces of a GPT for a disk that has one, in their order. `bootNumber` is pine's boot partition: the
 * sector with its entry is last.
 *
 * GRUB checks no checksums: it finds the boot partition with that sector, and has all other entries then. The
 * kernel does check, and from the first entries on it takes the backup, which is whole: if it has `gpt` among its
 * arguments. The last sector makes the table right for it as well.
 */
export function tableOverGpt(gpt: EncodedGpt, diskSize: number, bootNumber: number): TablePiece[] {
  const last = 1 + Math.floor((bootNumber - 1) / entriesPerSector);
  const sectors = (from: number, to?: number) =>
    gpt.primary.subarray(from * sector, to === undefined ? undefined : to * sector);
  const pieces = [
    backup(gpt, diskSize),
    { file: 'entries-behind', start: (1 + last + 1) * sector, bytes: sectors(last + 1) },
    { file: 'entries-before', start: 2 * sector, bytes: sectors(1, last) },
    { file: 'header', start: sector, bytes: sectors(0, 1) },
    { file: 'boot-entry', start: (1 + last) * sector, bytes: sectors(last, last + 1) },
  ];
  return pieces.filter(({ bytes }) => bytes.length > 0);
}

function backup(gpt: EncodedGpt, diskSize: number): TablePiece {
  const start = Math.floor(diskSize / sector) * sector - gptSize;
  return { file: 'backup-table', start, bytes: gpt.backup };
}
