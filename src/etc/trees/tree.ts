import type { EtcEntry } from '../walk.ts';

export type EtcFile = Extract<EtcEntry, { kind: 'file' }>;

/** A tree of /etc to merge from: a folder, or what an image ships. */
export interface EtcTree {
  /** `path` and everything below it, in the order of `walkEtc`; nothing when it is not there. */
  walk(path: string): AsyncIterable<EtcEntry>;
  /** The content of a file in pieces, each good until the next is asked for. */
  read(file: EtcFile): AsyncIterable<Buffer>;
  /** Whether extended attributes are known. Where they are not, those of the others count. */
  readonly hasXattrs: boolean;
}

/** Bytes that are read and written at a time (S9). */
export const pieceSize = 256 * 1024;

/** A whole file of at most `limit` bytes; `undefined` when it has more. */
export async function readWhole(
  tree: EtcTree,
  file: EtcFile,
  limit: number,
): Promise<Buffer | undefined> {
  if (file.size > limit) return undefined;
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of tree.read(file)) {
    size += piece.length;
    if (size > limit) return undefined;
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** Whether two files have the same content. Holds one piece of each at a time. */
export async function sameContent(
  [tree, file]: readonly [EtcTree, EtcFile],
  [otherTree, otherFile]: readonly [EtcTree, EtcFile],
): Promise<boolean> {
  if (file.size !== otherFile.size) return false;
  const others = otherTree.read(otherFile)[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  for await (const whole of tree.read(file)) {
    for (let piece = whole; piece.length > 0; ) {
      if (rest.length === 0) {
        const { value, done } = await others.next();
        if (done) return false;
        rest = value;
      }
      const length = Math.min(piece.length, rest.length);
      if (!piece.subarray(0, length).equals(rest.subarray(0, length))) {
        await others.return?.();
        return false;
      }
      piece = piece.subarray(length);
      rest = rest.subarray(length);
    }
  }
  return rest.length === 0 && (await others.next()).done === true;
}
