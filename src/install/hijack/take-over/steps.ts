/** A file of what was prepared, and where its bytes go. Positions and sizes are bytes. */
export interface Piece {
  /** Its name in the folder of what was prepared. */
  readonly file: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** On the disk. */
  readonly start: number;
}

/** One step of the installer. Each can be done again: one that is done already changes nothing. */
export type Step =
  /** `e2fsck -f`, then `resize2fs` to `size`; the first write to the disk. */
  | { readonly kind: 'shrink'; readonly size: number }
  | {
      readonly kind: 'format';
      readonly start: number;
      readonly size: number;
      readonly label: string;
      readonly uuid: string;
    }
  | ({ readonly kind: 'write' } & Piece)
  /** From the next step on, the machine can't go back to what it was by itself. */
  | { readonly kind: 'commitment' };

/** What is written, by what it is for. */
export interface TakeOverPieces {
  /** Bytes of the old root partition as it will be; `undefined` where nothing has to shrink. */
  readonly shrunk: number | undefined;
  /** Slots, boot partition and swap: in any order, behind the shrunk file system. */
  readonly partitions: readonly Piece[];
  readonly data: Omit<Extract<Step, { kind: 'format' }>, 'kind'>;
  /** GRUB's core image in pine's own bios-grub partition. */
  readonly core: Piece;
  readonly committedSector: Piece;
  /** The new table, in the order that take-over/new-table.ts gives it. */
  readonly table: readonly Piece[];
}

/**
 * The order of a take-over with BIOS. After each step, and after any part of one, something boots:
 *
 * - up to `commitment` the old boot code, in sectors that are not touched, reads the old table;
 * - the committed sector is one sector, so old or new. The new code starts pine's core, which finds no boot
 *   partition yet and boots the installer from the old root: it goes on from here;
 * - the last piece of the new table is one sector as well, and the one that shows the boot partition to GRUB.
 */
export function orderSteps(pieces: TakeOverPieces): Step[] {
  const write = (piece: Piece): Step => ({ kind: 'write', ...piece });
  return [
    ...(pieces.shrunk === undefined ? [] : [{ kind: 'shrink', size: pieces.shrunk } as const]),
    ...pieces.partitions.map(write),
    { kind: 'format', ...pieces.data },
    write(pieces.core),
    { kind: 'commitment' },
    write(pieces.committedSector),
    ...pieces.table.map(write),
  ];
}

const largestBlock = 1 << 20;

/** The steps as lines of words, which the installer's shell reads. */
export function formatSteps(steps: readonly Step[]): string {
  return steps.map((step) => `${words(step).join(' ')}\n`).join('');
}

function words(step: Step): (string | number)[] {
  switch (step.kind) {
    case 'shrink':
      return ['shrink', step.size / 1024];
    case 'format':
      return ['format', step.start, step.size / 1024, step.label, step.uuid];
    case 'write': {
      // dd counts in blocks: the largest that leads to the place.
      const block = step.start === 0 ? 512 : blockFor(step.start);
      const count = Math.ceil(step.size / block);
      return ['write', step.file, block, step.start / block, count, step.size, step.sha256];
    }
    case 'commitment':
      return ['commitment'];
  }
}

function blockFor(start: number): number {
  let block = largestBlock;
  while (start % block !== 0) block /= 2;
  return block;
}
