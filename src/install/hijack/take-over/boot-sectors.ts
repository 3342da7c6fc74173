import type { EncodedGpt } from '../../../disk/encode-gpt.ts';
import { putBootCode } from '../../boot-code.ts';

/** Where the partition entries of the first sector are. */
const entriesAt = 446;

/** The three states of a disk's first sector in a take-over, 512 bytes each. */
export interface FirstSectors {
  /** As it was. */
  readonly before: Buffer;
  /** pine's boot code with the partition entries that were there: the commitment. */
  readonly committed: Buffer;
  /** The same code, and one entry that says that there is a GPT. */
  readonly final: Buffer;
}

/**
 * Composes the first sector of a disk for each step of a take-over. Code and entries never change in
 * one step, so that the code that starts knows which table counts: the one that the entries name.
 *
 * `bootImage` is GRUB's boot.img, `core` the byte of the disk where GRUB's core image begins.
 */
export function firstSectors(
  before: Buffer,
  bootImage: Uint8Array,
  core: number,
  { protective }: Pick<EncodedGpt, 'protective'>,
): FirstSectors {
  const committed = putBootCode(before, bootImage, core);
  const final = Buffer.from(committed);
  protective.copy(final, entriesAt);
  return { before, committed, final };
}
