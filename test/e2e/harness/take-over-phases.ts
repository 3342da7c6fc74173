import { type LoggedRequest, sectorSize, type WriteLog } from './write-log.ts';

/** Where a take-over was, by the number of requests that the disk had answered. */
export interface TakeOverPhases {
  /** The disk's sector that GRUB and the installer count in. */
  readonly stageSector: number;
  /** The old system has shut down: GRUB's count is the next write. */
  readonly handedOver: number;
  /** The first write is the next one. */
  readonly firstWrite: number;
  /** The old root's metadata is kept: resize2fs begins. */
  readonly kept: number;
  /** It is given up by the next write: resize2fs has ended. */
  readonly shrunk: number;
  /** The first sector changes by the next write. */
  readonly commitment: number;
  /** The new table is what counts: the installer is done. */
  readonly done: number;
  /** All that was recorded: the new system was up. */
  readonly end: number;
}

const stageMark = '# GRUB Environment Block\npine_stage=';

/** Finds the phases of a take-over of a disk with an MBR in what was written, and nowhere else. */
export function findPhases(log: WriteLog): TakeOverPhases {
  const { requests } = log;
  const find = (what: string, from: number, test: (write: LoggedRequest) => boolean) => {
    const at = requests.findIndex(
      (one, index) => index >= from && one.kind === 'write' && test(one),
    );
    if (at < 0) throw new Error(`no write of ${what} after request ${from} of ${requests.length}`);
    return at;
  };
  const sectorOf = (write: LoggedRequest, sector: number) => {
    const at = sector - write.sector;
    if (at < 0 || at >= write.sectors) return undefined;
    return log.read(write, at + 1).subarray(at * sectorSize);
  };
  const says = (write: LoggedRequest, sector: number, text: string) =>
    sectorOf(write, sector)?.toString('latin1').includes(text) === true;
  // GRUB writes one sector. Debian wrote the same block before, with others.
  const isCount = (write: LoggedRequest) =>
    write.sectors === 1 &&
    log.read(write).toString('latin1').startsWith(stageMark) &&
    says(write, write.sector, 'pine_starts=0\n');
  const handedOver = find("GRUB's count", 0, isCount);
  const stageSector = requests[handedOver]?.sector ?? 0;
  const firstWrite = find('pine_stage=writing', handedOver, (write) =>
    says(write, stageSector, 'pine_stage=writing\n'),
  );
  const begins = (text: string) => (write: LoggedRequest) =>
    log.read(write, 1).toString('latin1').startsWith(text);
  const kept = find('what is kept', firstWrite, begins('pine-hijack-kept 1 '));
  const shrunk = find('what was kept, given up', kept, begins('pine-hijack-dropped '));
  const commitment = find('the first sector', firstWrite, (write) => write.sector === 0);
  const done = find('the protective entry', commitment, (write) => {
    return sectorOf(write, 0)?.[450] === 0xee; // the type of the first entry
  });
  const end = requests.length;
  return {
    stageSector,
    handedOver,
    firstWrite,
    kept: kept + 1,
    shrunk,
    commitment,
    done: done + 1,
    end,
  };
}
