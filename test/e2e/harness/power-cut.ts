import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { type LoggedRequest, sectorSize, type WriteLog } from './write-log.ts';

/** Part of a write that reached the medium: its first `sectors`. */
interface Landed {
  readonly write: LoggedRequest;
  readonly sectors: number;
}

/**
 * The disk of a machine as a power cut leaves it. `at` requests were answered; what was written since the last flush
 * among them may be on the medium or not: all of it is, or each write by chance whole, not at all, or its beginning.
 */
export interface PowerCut {
  readonly at: number;
  /** Requests up to the last flush. */
  readonly durable: number;
  readonly landed: readonly Landed[];
  /** In words, for a report. */
  readonly lost: string;
}

/** The power goes when so many requests were answered. With a source of chance, what was not flushed may be lost. */
export function cutAt(log: WriteLog, at: number, random?: (below: number) => number): PowerCut {
  const flush = log.requests.slice(0, at).findLastIndex(({ kind }) => kind === 'flush');
  const durable = flush + 1;
  const open = log.requests.slice(durable, at);
  const landed = open.map((write) => ({ write, sectors: reached(write, random) }));
  const whole = landed.filter(({ write, sectors }) => sectors === write.sectors).length;
  const none = landed.filter(({ sectors }) => sectors === 0).length;
  const lost =
    whole === open.length
      ? `all ${open.length} writes since the last flush kept`
      : `of ${open.length} writes since the last flush ${none} lost, ${open.length - whole - none} torn`;
  return { at, durable, landed: landed.filter(({ sectors }) => sectors > 0), lost };
}

function reached({ sectors }: LoggedRequest, random: ((below: number) => number) | undefined) {
  if (random === undefined) return sectors;
  const chance = random(10);
  if (chance < 5) return sectors;
  return chance < 8 ? 0 : random(sectors + 1);
}

/** A disk image that is rolled forward along a log, and shows each cut for a while. Cuts come in the order of the log. */
export class CutDisk {
  readonly path: string;
  readonly #log: WriteLog;
  #done = 0;

  /** `path` is the disk as it was when the log began, and is changed. */
  constructor(path: string, log: WriteLog) {
    this.path = path;
    this.#log = log;
  }

  /** Lets the disk be as the cut leaves it while `judge` looks, which must not change it. */
  async show<T>(cut: PowerCut, judge: () => Promise<T>): Promise<T> {
    if (cut.durable < this.#done) throw new Error('cuts must come in the order of the log');
    const file = openSync(this.path, 'r+');
    const before: [number, Buffer][] = [];
    try {
      for (const write of this.#log.requests.slice(this.#done, cut.durable)) {
        if (write.kind === 'write') this.#put(file, write, write.sectors);
      }
      this.#done = cut.durable;
      for (const { write, sectors } of cut.landed) {
        const bytes = Buffer.alloc(sectors * sectorSize);
        readSync(file, bytes, 0, bytes.length, write.sector * sectorSize);
        before.unshift([write.sector * sectorSize, bytes]);
        this.#put(file, write, sectors);
      }
      return await judge();
    } finally {
      for (const [position, bytes] of before) writeSync(file, bytes, 0, bytes.length, position);
      closeSync(file);
    }
  }

  #put(file: number, write: LoggedRequest, sectors: number): void {
    const bytes = this.#log.read(write, sectors);
    writeSync(file, bytes, 0, bytes.length, write.sector * sectorSize);
  }
}
