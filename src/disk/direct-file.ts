import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { directUnit, isDirect } from '../ports/page-aligned.ts';

/**
 * A file or device as it is without the page cache (O_DIRECT), opened when it is first needed. It does what it can
 * and says how much that was: nothing where the file system or the memory is not made for it.
 *
 * The kernel keeps it and the page cache in step.
 */
export class DirectFile {
  readonly #path: string;
  readonly #flags: number;
  #handle: Promise<FileHandle | undefined> | undefined;

  constructor(path: string, mode: 'read' | 'write') {
    this.#path = path;
    this.#flags = constants.O_DIRECT | (mode === 'read' ? constants.O_RDONLY : constants.O_RDWR);
  }

  read(position: number, bytes: Uint8Array): Promise<number> {
    return this.#whole(position, bytes, async (handle, rest, at) => {
      return (await handle.read(rest, 0, rest.length, at)).bytesRead;
    });
  }

  write(position: number, bytes: Uint8Array): Promise<number> {
    return this.#whole(position, bytes, async (handle, rest, at) => {
      return (await handle.write(rest, 0, rest.length, at)).bytesWritten;
    });
  }

  async close(): Promise<void> {
    const handle = await this.#handle;
    this.#handle = Promise.resolve(undefined);
    await handle?.close();
  }

  async #whole(
    position: number,
    bytes: Uint8Array,
    act: (handle: FileHandle, rest: Uint8Array, at: number) => Promise<number>,
  ): Promise<number> {
    if (!isDirect(position, bytes)) return 0;
    this.#handle ??= open(this.#path, this.#flags).catch(unlessRefused);
    const handle = await this.#handle;
    if (handle === undefined) return 0;
    let done = 0;
    try {
      while (done < bytes.length && done % directUnit === 0) {
        const count = await act(handle, bytes.subarray(done), position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      unlessRefused(error);
      await this.close();
    }
    return done;
  }
}

/** Some file systems do not know O_DIRECT, and say so when the file is opened or when it is read. */
function unlessRefused(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EINVAL' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return undefined;
  throw error;
}
