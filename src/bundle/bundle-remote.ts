import { deltaPath } from '../delta/delta-path.ts';
import { PineError } from '../error.ts';
import type { ByteSource } from '../ports/byte-source.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { RemoteRepository } from '../remote/remote-repository.ts';
import type { Bundle } from './bundle-file.ts';

const pieceSize = 64 * 1024;

/** The files of a bundle, as a repository gives them. */
class BundleSource implements ByteSource {
  readonly name: string;
  readonly #bundle: Bundle;
  readonly #close: () => Promise<void>;

  constructor(bundle: Bundle, close: () => Promise<void>) {
    this.name = bundle.name;
    this.#bundle = bundle;
    this.#close = close;
  }

  async *open(
    path: string,
    { limit, from = 0 }: { limit: number; from?: number },
  ): AsyncGenerator<Uint8Array> {
    const file = this.#bundle.file(path);
    if (file === undefined) throw missing(`${this.name}, ${path}`);
    checkSize(file, limit, `${this.name}, ${path}`);
    for (let at = from; at < file.size; at += pieceSize) {
      yield await file.read(at, Math.min(pieceSize, file.size - at));
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/**
 * A bundle as a repository to upgrade from: the road is the same, with all checks of it (S5), but single files are
 * not in it, and its deltas are read where they are.
 */
export class BundleRemote extends RemoteRepository {
  override readonly kind = 'bundle';
  readonly noFiles = 'a bundle has deltas only';
  readonly #bundle: Bundle;
  /** How far each delta was read: it is read from its beginning, and parts of it again. */
  readonly #readTo = new Map<string, number>();

  /** `close` lets go of the file that the bundle is in. */
  constructor(bundle: Bundle, close: () => Promise<void>) {
    super(new BundleSource(bundle, close));
    this.#bundle = bundle;
  }

  /** Bytes of all files that were read so far; each of a delta counts once. */
  override get received(): number {
    return [...this.#readTo.values()].reduce((sum, bytes) => sum + bytes, super.received);
  }

  /** The commit that the bundle is for. Throws NOT_FOUND_REMOTE_REF when it is for another ref. */
  override async resolveRef(ref: string): Promise<string> {
    if (ref === this.#bundle.ref) return super.resolveRef(ref);
    throw new PineError('NOT_FOUND_REMOTE_REF', 'the bundle is for another ref', {
      expected: `a bundle for ${ref}, which this machine follows`,
      found: `one for ${this.#bundle.ref}`,
      where: this.name,
      remedy: `make one for it: pinectl bundle create ${ref}`,
    });
  }

  /** A delta to be read by position, unchecked. Throws NOT_FOUND_REMOTE_FILE, CORRUPT_TOO_LARGE. */
  openDelta(ends: { readonly from: string; readonly to: string }, limit: number): PositionedReader {
    const path = deltaPath(ends);
    const file = this.#bundle.file(path);
    if (file === undefined) throw missing(`${this.name}, ${path}`);
    checkSize(file, limit, `${this.name}, ${path}`);
    return {
      size: file.size,
      read: async (position, length, into) => {
        const bytes = await file.read(position, length, into);
        const before = this.#readTo.get(path) ?? 0;
        this.#readTo.set(path, Math.max(before, position + length));
        return bytes;
      },
    };
  }
}

function checkSize(file: PositionedReader, limit: number, where: string): void {
  if (file.size <= limit) return;
  throw new PineError('CORRUPT_TOO_LARGE', 'the file is larger than it can be', {
    expected: `at most ${limit} bytes`,
    found: `${file.size} bytes`,
    where,
    remedy: 'make the bundle again: pinectl bundle create',
  });
}

function missing(where: string): PineError {
  return new PineError('NOT_FOUND_REMOTE_FILE', 'the bundle does not have this file', {
    expected: 'a file',
    found: 'nothing of that name',
    where,
    remedy: '`pinectl bundle show` lists what is in it',
  });
}
