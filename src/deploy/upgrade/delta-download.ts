import { type DeltaFile, openDelta } from '../../delta/decode/delta-file.ts';
import { type DeltaStart, readDeltaStart, startLength } from '../../delta/decode/delta-start.ts';
import { deltaPath } from '../../delta/delta-path.ts';
import { corruptDelta } from '../../delta/format/corrupt-delta.ts';
import type { Digest } from '../../image/digest.ts';
import { bytesReader, type PositionedReader } from '../../ports/positioned-reader.ts';
import type { Progress } from '../../ports/progress.ts';
import type { PublicKey } from '../../trust/keys.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import { noRoomFor } from './space.ts';
import type { UpgradeRemote } from './survey.ts';
import { whereInRemote } from './where-in-remote.ts';

/** Bytes that are collected before they are appended to the file (S9). */
const pieceSize = 256 * 1024;

/** One end of a delta that is wanted. Of a commit between two others the image is not known before. */
export interface WantedEnd {
  readonly commit: string;
  readonly image?: Digest | undefined;
}

/** A delta that an upgrade has use for. */
export interface WantedDelta {
  readonly from: WantedEnd;
  readonly to: WantedEnd;
  /** The most bytes that it may have. */
  readonly limit: number;
}

/** Where deltas come from, and who must have signed them. */
export interface DeltaSource {
  readonly remote: UpgradeRemote;
  readonly keys: readonly PublicKey[];
  readonly progress?: Progress | undefined;
}

/** A delta on its way onto the data partition. */
export class DeltaDownload {
  readonly #machine: Machine;
  readonly #wanted: WantedDelta;
  readonly #source: DeltaSource;
  /** Bytes that must stay free beside the delta. */
  readonly #kept: number;
  readonly #path: string;
  /** What to call it in messages. What lies here is removed when it is wrong. */
  readonly #name: string;
  /** Bytes that an earlier run had fetched. */
  resumedAt = 0;

  constructor(machine: Machine, wanted: WantedDelta, source: DeltaSource, kept: number) {
    this.#machine = machine;
    this.#wanted = wanted;
    this.#source = source;
    this.#kept = kept;
    this.#path = `${deltaFolder(machine)}/${deltaName(wanted)}`;
    this.#name = whereInRemote(source.remote, deltaPath(endsOf(wanted)));
  }

  /** Fetches what is missing, and opens it with every piece checked. Throws CORRUPT_DELTA, TRUST_UNKNOWN_KEY. */
  async complete(): Promise<DeltaFile> {
    await this.#fetch();
    const { files } = this.#machine;
    const reader = this.#reader((await files.status(this.#path))?.size ?? 0);
    await this.#readStart(reader);
    const delta = await openDelta(reader, this.#source.keys, this.#name);
    await delta.check();
    return delta;
  }

  async #fetch(): Promise<void> {
    const { files } = this.#machine;
    const { remote, progress } = this.#source;
    const present = (await files.status(this.#path))?.size ?? 0;
    this.resumedAt = present;
    let start = present === 0 ? undefined : await this.#readStart(this.#reader(present));
    if (start !== undefined && present >= start.size) return;
    const { limit } = this.#wanted;
    const ends = endsOf(this.#wanted);
    let waiting: Uint8Array[] = [];
    let size = 0;
    let done = present;
    let fileSize: number | undefined;
    const onSize = (bytes: number) => {
      fileSize = bytes;
    };
    for await (const bytes of remote.fetchDelta(ends, { limit, from: present, onSize })) {
      waiting.push(bytes);
      size += bytes.length;
      if (start === undefined) {
        const beginning = Buffer.concat(waiting);
        waiting = [beginning];
        if (beginning.length < startLength(beginning, this.#name)) continue;
        start = await this.#readStart(bytesReader(beginning));
        await this.#makeFile(start);
      }
      checkFileSize(start, fileSize, this.#name);
      if (size < pieceSize) continue;
      await files.appendFile(this.#path, Buffer.concat(waiting), 0o644);
      done += size;
      progress?.(done, start.size, 'fetching the delta');
      waiting = [];
      size = 0;
      // S10: room was made for no more; what is too long will not pass.
      if (done > start.size) break;
    }
    if (start === undefined) throw corruptDelta('a whole header', `${size} bytes`, this.#name);
    await files.appendFile(this.#path, Buffer.concat(waiting), 0o644);
  }

  async discard(): Promise<void> {
    await this.#machine.files.remove(this.#path);
  }

  #readStart(file: PositionedReader): Promise<DeltaStart> {
    return readWantedStart(file, this.#wanted, this.#source.keys, this.#name);
  }

  async #makeFile({ size, header }: DeltaStart): Promise<void> {
    const { files, data } = this.#machine;
    const free = await files.freeBytes(data);
    const needed = size + header.scratch + this.#kept;
    if (free < needed) throw noRoomFor('the delta', needed, free, data);
    await files.makeFolder(deltaFolder(this.#machine), 0o755);
    await files.writeFile(this.#path, new Uint8Array(), 0o644);
  }

  #reader(size: number): PositionedReader {
    return {
      size,
      read: async (position, length, into) => {
        const bytes = await this.#machine.files.readAt(this.#path, position, length, into);
        if (bytes.length === length) return bytes;
        throw corruptDelta(`${length} bytes at ${position}`, `${bytes.length}`, this.#name);
      },
    };
  }
}

/** The name of a delta's file on the data partition. */
export function deltaName({ from, to }: WantedDelta): string {
  return `${from.commit}..${to.commit}`;
}

/** The commits of a delta. */
export function endsOf({ from, to }: WantedDelta): { readonly from: string; readonly to: string } {
  return { from: from.commit, to: to.commit };
}

/** A file that was cut or grew shows before the rest of it is fetched, where its size is known. */
export function checkFileSize(
  { size }: Pick<DeltaStart, 'size'>,
  fileSize: number | undefined,
  name: string,
): void {
  if (fileSize === undefined || fileSize === size) return;
  throw corruptDelta(`${size} bytes by its header`, `${fileSize} bytes`, name);
}

/** S5: reads the beginning of a delta that is signed, and for just the two images that are meant. */
export async function readWantedStart(
  file: PositionedReader,
  wanted: WantedDelta,
  keys: readonly PublicKey[],
  name: string,
): Promise<DeltaStart> {
  const start = await readDeltaStart(file, keys, name);
  const { from, to } = start.header;
  if (isWanted(from, wanted.from) && isWanted(to, wanted.to)) return start;
  throw corruptDelta(
    `the delta from ${wanted.from.commit} to ${wanted.to.commit}, and of their images`,
    `one from ${from.commit} to ${to.commit}`,
    name,
  );
}

function isWanted(found: { commit: string; image: Digest }, { commit, image }: WantedEnd): boolean {
  const isImage =
    image === undefined || (found.image.size === image.size && found.image.sha256 === image.sha256);
  return isImage && found.commit === commit;
}
