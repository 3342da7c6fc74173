import { type DeltaFile, openDelta } from '../../delta/decode/delta-file.ts';
import { type DeltaStart, readDeltaStart, startLength } from '../../delta/decode/delta-start.ts';
import { corruptDelta } from '../../delta/format/corrupt-delta.ts';
import { PineError } from '../../error.ts';
import { bytesReader, type PositionedReader } from '../../ports/positioned-reader.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import type { PrepareOptions } from './prepare.ts';
import type { Survey } from './survey.ts';

/** Bytes that are collected before they are appended to the file (S9). */
const pieceSize = 256 * 1024;
/** Left free on the data partition beside the delta. */
const reserve = 1024 * 1024;

/** A delta on its way onto the data partition. */
export class DeltaDownload {
  readonly #machine: Machine;
  readonly #found: Extract<Survey, { kind: 'new' }>;
  readonly #options: PrepareOptions;
  readonly #path: string;
  /** Bytes that an earlier run had fetched. */
  resumedAt = 0;

  constructor(machine: Machine, found: Extract<Survey, { kind: 'new' }>, options: PrepareOptions) {
    this.#machine = machine;
    this.#found = found;
    this.#options = options;
    const { running, accepted } = found;
    this.#path = `${deltaFolder(machine)}/${running.checksum}..${accepted.checksum}`;
  }

  /** Fetches what is missing, and opens it with every piece checked. Throws CORRUPT_DELTA, TRUST_UNKNOWN_KEY. */
  async complete(): Promise<DeltaFile> {
    await this.#fetch();
    const { files } = this.#machine;
    const reader = this.#reader((await files.status(this.#path))?.size ?? 0);
    await this.#readStart(reader);
    const delta = await openDelta(reader, this.#options.keys, this.#path);
    await delta.check();
    return delta;
  }

  async #fetch(): Promise<void> {
    const { files } = this.#machine;
    const { remote, progress } = this.#options;
    const { running, accepted } = this.#found;
    const present = (await files.status(this.#path))?.size ?? 0;
    this.resumedAt = present;
    let start = present === 0 ? undefined : await this.#readStart(this.#reader(present));
    if (start !== undefined && present >= start.size) return;
    const ends = { from: running.checksum, to: accepted.checksum };
    // One that is larger than the image would be of no use.
    const limit = accepted.image.size;
    let waiting: Uint8Array[] = [];
    let size = 0;
    let done = present;
    for await (const bytes of remote.fetchDelta(ends, { limit, from: present })) {
      waiting.push(bytes);
      size += bytes.length;
      if (start === undefined) {
        const beginning = Buffer.concat(waiting);
        waiting = [beginning];
        if (beginning.length < startLength(beginning, remote.name)) continue;
        start = await this.#readStart(bytesReader(beginning));
        await this.#makeFile(start.size);
      }
      if (size < pieceSize) continue;
      await files.appendFile(this.#path, Buffer.concat(waiting), 0o644);
      done += size;
      progress?.(done, start.size, 'fetching the delta');
      waiting = [];
      size = 0;
      // S10: room was made for no more; what is too long will not pass.
      if (done > start.size) break;
    }
    if (start === undefined) throw corruptDelta('a whole header', `${size} bytes`, remote.name);
    await files.appendFile(this.#path, Buffer.concat(waiting), 0o644);
  }

  async discard(): Promise<void> {
    await this.#machine.files.remove(this.#path);
  }

  #readStart(file: PositionedReader): Promise<DeltaStart> {
    return readWantedStart(file, this.#found, this.#options, this.#path);
  }

  async #makeFile(size: number): Promise<void> {
    const { files, data } = this.#machine;
    const free = await files.freeBytes(data);
    if (free < size + reserve) {
      throw new PineError('SPACE_DATA', 'the data partition has no room for the delta', {
        expected: `${size + reserve} free bytes`,
        found: `${free} bytes`,
        where: data,
        remedy: 'free some space there to fetch less next time',
      });
    }
    // Deltas of other upgrades, which were never finished, are in the way.
    await files.remove(deltaFolder(this.#machine));
    await files.makeFolder(deltaFolder(this.#machine), 0o755);
    await files.writeFile(this.#path, new Uint8Array(), 0o644);
  }

  #reader(size: number): PositionedReader {
    return {
      size,
      read: async (position, length) => {
        const bytes = await this.#machine.files.readAt(this.#path, position, length);
        if (bytes.length === length) return bytes;
        throw corruptDelta(`${length} bytes at ${position}`, `${bytes.length}`, this.#path);
      },
    };
  }
}

/** S5: reads the beginning of a delta that is signed, and for just the two images that are meant. */
export async function readWantedStart(
  file: PositionedReader,
  { running, accepted }: Extract<Survey, { kind: 'new' }>,
  { keys }: Pick<PrepareOptions, 'keys'>,
  name: string,
): Promise<DeltaStart> {
  const start = await readDeltaStart(file, keys, name);
  const { from, to } = start.header;
  const isWanted = [running, accepted].every(({ checksum, image }, index) => {
    const end = index === 0 ? from : to;
    const isSame = end.image.size === image.size && end.image.sha256 === image.sha256;
    return isSame && end.commit === checksum;
  });
  if (isWanted) return start;
  const found = `from ${from.commit} to ${to.commit}`;
  throw corruptDelta('a delta between the two commits', found, name);
}
