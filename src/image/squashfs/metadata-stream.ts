import { limits, refuseTree } from '../limits.ts';
import { metadataBlockSize, metadataUncompressed, storedMetadataBlockSize } from './format.ts';

/** Where a record begins: its block's offset from the start of the table, and its place in there. */
export interface MetadataPosition {
  readonly block: number;
  readonly offset: number;
}

/**
 * Collects the records of one metadata table. All blocks but the last are full, so a record's
 * position follows from the bytes before it.
 */
export class MetadataStream {
  readonly #records: Uint8Array[] = [];
  #length = 0;

  get position(): MetadataPosition {
    return positionOf(this.#length);
  }

  /** Appends a record and tells where it begins. */
  append(record: Uint8Array): MetadataPosition {
    const position = this.position;
    this.#records.push(record);
    this.#length += record.length;
    if (this.#length > limits.tableBytes) {
      refuseTree('INPUT_TREE_TOO_LARGE', 'the tree has too many entries for an image', {
        expected: `metadata tables of at most ${limits.tableBytes} bytes`,
        found: `more than that`,
        where: 'the whole tree',
      });
    }
    return position;
  }

  /** The table as it is stored: every block with its header. */
  encode(): Buffer {
    return storeMetadata(Buffer.concat(this.#records, this.#length));
  }
}

/** Where byte `position` of a table's payload is stored. */
export function positionOf(position: number): MetadataPosition {
  return {
    block: Math.floor(position / metadataBlockSize) * storedMetadataBlockSize,
    offset: position % metadataBlockSize,
  };
}

/** A 64-bit reference to a metadata record, as inode and attribute tables use them. */
export function encodeReference({ block, offset }: MetadataPosition): bigint {
  return (BigInt(block) << 16n) | BigInt(offset);
}

/** Cuts a payload into metadata blocks, each with its header. */
export function storeMetadata(payload: Buffer): Buffer {
  const blocks = Math.ceil(payload.length / metadataBlockSize);
  const stored = Buffer.alloc(payload.length + 2 * blocks);
  for (let index = 0; index < blocks; index++) {
    const from = index * metadataBlockSize;
    const to = Math.min(from + metadataBlockSize, payload.length);
    const at = index * storedMetadataBlockSize;
    stored.writeUInt16LE((to - from) | metadataUncompressed, at);
    payload.copy(stored, at + 2, from, to);
  }
  return stored;
}

/** The absolute positions of a table's blocks, as the array that readers look them up in. */
export function blockPositions(payloadLength: number, tableStart: number): Buffer {
  const blocks = Math.ceil(payloadLength / metadataBlockSize);
  const array = Buffer.alloc(blocks * 8);
  for (let index = 0; index < blocks; index++) {
    array.writeBigUInt64LE(BigInt(tableStart + index * storedMetadataBlockSize), index * 8);
  }
  return array;
}
