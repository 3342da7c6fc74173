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

/** Bytes of a sector that change. */
export interface Change {
  readonly offset: number;
  readonly before: Buffer;
  readonly after: Buffer;
}

/** What must be as it was when everything was prepared, or nothing is written. */
export type Check =
  | { readonly kind: 'sum'; readonly start: number; readonly size: number; readonly sha256: string }
  | { readonly kind: 'bytes'; readonly sector: number; readonly bytes: readonly BytesAt[] };

interface BytesAt {
  readonly offset: number;
  readonly before: Buffer;
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
  /** Changes some bytes of one sector, in one write, if they are what they were. */
  | {
      readonly kind: 'patch';
      readonly name: string;
      readonly sector: number;
      readonly changes: readonly Change[];
    }
  /** From the next step on, the machine can't go back to what it was by itself. */
  | { readonly kind: 'commitment' };

/** What the installer does, and what it looks at first. */
export interface Prepared {
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
}

/** How a machine comes to start pine's GRUB instead of the old one. */
export interface LoaderSteps {
  /** What is written while the old one still starts. */
  readonly before: readonly Step[];
  /** One write of one sector. */
  readonly commitment: Step;
  /** What has to be as it was before anything is written. */
  readonly checks: readonly Check[];
}

/** What is written, by what it is for. */
export interface TakeOverPieces {
  /** Bytes of the old root partition as it will be; `undefined` where nothing has to shrink. */
  readonly shrunk: number | undefined;
  /** Slots, boot partition and swap: in any order, behind the shrunk file system. */
  readonly partitions: readonly Piece[];
  readonly data: Omit<Extract<Step, { kind: 'format' }>, 'kind'>;
  readonly loader: LoaderSteps;
  /** The new table, in the order that take-over/new-table.ts gives it. */
  readonly table: readonly Piece[];
}

/**
 * The order of a take-over. After each step, and after any part of one, something boots:
 *
 * - up to `commitment` the old GRUB, in sectors that are not touched, reads the old table;
 * - the commitment is one sector, so old or new: the first one (BIOS), or the one by which firmware finds GRUB on
 *   the EFI system partition. pine's core, which is started then, finds no boot partition yet and boots the
 *   installer from the old root: it goes on from here;
 * - the last piece of the new table is one sector as well, and the one that shows the boot partition to GRUB.
 */
export function orderSteps(pieces: TakeOverPieces): Step[] {
  const write = (piece: Piece): Step => ({ kind: 'write', ...piece });
  return [
    ...(pieces.shrunk === undefined ? [] : [{ kind: 'shrink', size: pieces.shrunk } as const]),
    ...pieces.partitions.map(write),
    { kind: 'format', ...pieces.data },
    ...pieces.loader.before,
    { kind: 'commitment' },
    pieces.loader.commitment,
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
    case 'patch': {
      const changes = step.changes.map(
        ({ offset, before, after }) =>
          `${offset}:${before.toString('hex')}:${after.toString('hex')}`,
      );
      return ['patch', step.name, step.sector, ...changes];
    }
    case 'commitment':
      return ['commitment'];
  }
}

/** The checks as lines of words. */
export function formatChecks(checks: readonly Check[]): string {
  return checks
    .map((check) => {
      if (check.kind === 'bytes') {
        const bytes = check.bytes.map(
          ({ offset, before }) => `${offset}:${before.toString('hex')}`,
        );
        return `bytes ${check.sector} ${bytes.join(' ')}\n`;
      }
      const { start, size, sha256 } = check;
      const block = blockFor(start);
      return `sum ${block} ${start / block} ${Math.ceil(size / block)} ${size} ${sha256}\n`;
    })
    .join('');
}

function blockFor(start: number): number {
  let block = largestBlock;
  while (start % block !== 0) block /= 2;
  return block;
}
