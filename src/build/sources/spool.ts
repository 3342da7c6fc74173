import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceContent } from '../source-node.ts';

const pieceSize = 256 * 1024;

/**
 * Contents out of streams that can be read once only, kept in one file without a name: a commit reads
 * each several times, and memory must not grow with them (S9). The file is gone with the process.
 */
export class Spool {
  readonly #descriptor: number;
  #size = 0;

  /** `folder` is where there is room: the repository's tmp/. */
  constructor(folder: string) {
    const path = join(folder, `pine-spool-${randomBytes(6).toString('hex')}`);
    this.#descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Takes a stream in; what it gives is read from the file. One that fails leaves nothing behind. */
  async add(stream: AsyncIterable<Uint8Array>): Promise<SourceContent> {
    const from = this.#size;
    let end = from;
    for await (const piece of stream) {
      for (let at = 0; at < piece.length; ) {
        at += writeSync(this.#descriptor, piece, at, piece.length - at, end + at);
      }
      end += piece.length;
    }
    this.#size = end;
    return this.#content(from, end - from);
  }

  /** No content can be read any more. */
  close(): void {
    closeSync(this.#descriptor);
  }

  #content(from: number, size: number): SourceContent {
    const descriptor = this.#descriptor;
    return {
      size,
      async *open(room) {
        for (let at = 0; at < size; ) {
          const given = await room?.();
          const piece = (given ?? Buffer.allocUnsafe(pieceSize)).subarray(0, size - at);
          const length = readSync(descriptor, piece, 0, piece.length, from + at);
          if (length === 0) throw new Error('the spool is shorter than what was written');
          at += length;
          yield piece.subarray(0, length);
        }
      },
    };
  }
}
