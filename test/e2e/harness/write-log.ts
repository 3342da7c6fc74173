import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes of a sector, of the log and of the disk. */
export const sectorSize = 512;

/** A request that a disk has answered: a write, or a flush of all that was written before. */
export interface LoggedRequest {
  readonly kind: 'write' | 'flush';
  /** Where on the disk, in sectors. */
  readonly sector: number;
  readonly sectors: number;
  /** The byte of the log where what was written begins. */
  readonly position: number;
}

const magic = 0x6a736677736872n;
const flushFlag = 1n;

/** Every request of a machine to its disk, in order, as QEMU's `blklogwrites` keeps them (the format of dm-log-writes). */
export class WriteLog {
  readonly requests: readonly LoggedRequest[];
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.requests = this.#readRequests(path);
  }

  /** What a write wrote. */
  read({ position, sectors }: LoggedRequest, count = sectors): Buffer {
    return this.#readAt(position, count * sectorSize);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Not by the count at the log's head: QEMU may have been killed before it wrote that. */
  #readRequests(path: string): LoggedRequest[] {
    const { size } = fstatSync(this.#file);
    if (size === 0) return []; // nothing was asked of the disk
    const head = this.#readAt(0, sectorSize);
    const version = head.readBigUInt64LE(8);
    if (head.readBigUInt64LE(0) !== magic || version !== 1n || head.readUInt32LE(24) !== sectorSize)
      throw new Error(`${path} is no log of writes with sectors of ${sectorSize} bytes`);
    const requests: LoggedRequest[] = [];
    for (let position = sectorSize; position + sectorSize <= size; ) {
      const entry = this.#readAt(position, 32);
      const [sector, sectors] = [entry.readBigUInt64LE(0), entry.readBigUInt64LE(8)].map(Number);
      const flag = entry.readBigUInt64LE(16);
      position += sectorSize;
      if (sector === undefined || sectors === undefined) break;
      if (flag !== 0n && flag !== flushFlag)
        throw new Error(`${path}: a request with the flags ${flag} at ${position - sectorSize}`);
      if (flag === 0n && sectors === 0) break; // an entry whose header was not written yet
      if (position + sectors * sectorSize > size) break;
      const kind = flag === flushFlag ? 'flush' : 'write';
      requests.push({ kind, sector, sectors, position });
      position += sectors * sectorSize;
    }
    return requests;
  }

  #readAt(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (readSync(this.#file, bytes, 0, length, position) !== length)
      throw new Error(`the log of writes ends before byte ${position + length}`);
    return bytes;
  }
}
