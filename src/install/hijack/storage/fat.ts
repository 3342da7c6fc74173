import { PineError } from '../../../error.ts';
import type { PositionedReader } from '../../../ports/positioned-reader.ts';

/** Bytes of a file system's disk. */
export interface Run {
  readonly start: number;
  readonly size: number;
}

/** An entry of a folder. */
export interface FatEntry {
  /** Its short name as it is stored: 11 bytes, padded with blanks. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Where its content begins; 0 for an empty file. */
  readonly cluster: number;
  readonly size: number;
  /** The byte of the disk where its 32 bytes are. */
  readonly position: number;
  /** It has a long name in entries before it, bound to the short one by a checksum. */
  readonly hasLongName: boolean;
}

const sector = 512;
export const fatEntrySize = 32;
/** Attributes of an entry. */
const volumeLabel = 0x08;
const folder = 0x10;
const longName = 0x0f;
/** More clusters than any folder of an EFI system partition has. */
const mostFolderClusters = 1024;

/**
 * Where things lie in a FAT16 or FAT32 file system with sectors of 512 bytes, as it is on a disk: nothing is
 * written. Source: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
 */
export class FatFileSystem {
  readonly #disk: Pick<PositionedReader, 'read'>;
  readonly #name: string;
  readonly #bits: 16 | 32;
  readonly #clusterSize: number;
  readonly #clusters: number;
  /** A folder of FAT16's own kind, or the first cluster of FAT32's. */
  readonly #root: Run | number;
  readonly #data: number;
  /** The first of the tables that say which cluster follows which. */
  readonly #table: Run;

  private constructor(
    disk: Pick<PositionedReader, 'read'>,
    start: number,
    name: string,
    boot: Buffer,
  ) {
    const sectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
    const tableSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36);
    const reserved = boot.readUInt16LE(14);
    const rootSectors = Math.ceil((boot.readUInt16LE(17) * fatEntrySize) / sector);
    const rootAt = reserved + boot.readUInt8(16) * tableSectors;
    this.#disk = disk;
    this.#name = name;
    this.#bits = boot.readUInt16LE(22) === 0 ? 32 : 16;
    this.#clusterSize = boot.readUInt8(13) * sector;
    this.#clusters = Math.floor((sectors - rootAt - rootSectors) / boot.readUInt8(13));
    this.#data = start + (rootAt + rootSectors) * sector;
    this.#root =
      this.#bits === 32
        ? boot.readUInt32LE(44)
        : { start: start + rootAt * sector, size: rootSectors * sector };
    this.#table = { start: start + reserved * sector, size: tableSectors * sector };
  }

  /** Opens the one that begins at byte `start` of a disk. Throws INPUT_ESP. */
  static async open(
    disk: Pick<PositionedReader, 'read'>,
    start: number,
    name: string,
  ): Promise<FatFileSystem> {
    const boot = await disk.read(start, sector);
    if (boot.readUInt16LE(510) !== 0xaa55 || boot.readUInt16LE(11) !== sector) {
      throw unreadable(name, 'no FAT with sectors of 512 bytes');
    }
    const perCluster = boot.readUInt8(13);
    if (perCluster === 0 || boot.readUInt16LE(14) === 0 || boot.readUInt8(16) === 0) {
      throw unreadable(name, 'a damaged FAT');
    }
    const found = new FatFileSystem(disk, start, name, boot);
    const least = found.#bits === 32 ? 1 : 4085; // fewer: FAT12
    const room = (found.#table.size * 8) / found.#bits - 2;
    if (!(found.#clusters >= least && found.#clusters <= room)) {
      throw unreadable(name, found.#clusters < least ? 'a FAT12' : 'a damaged FAT');
    }
    return found;
  }

  /** What is in a folder, by its path of short names: `['EFI     …', …]`; none: the root. Throws INPUT_ESP. */
  async list(path: readonly string[]): Promise<FatEntry[]> {
    const folder = async (cluster: number) =>
      (await this.#chain(cluster)).map((one) => this.#place(one));
    let runs = typeof this.#root === 'number' ? await folder(this.#root) : [this.#root];
    for (const [index, name] of path.entries()) {
      const inside = (await this.#entries(runs)).find((entry) => entry.name === shortName(name));
      if (inside?.isFolder !== true) {
        throw unreadable(this.#name, `no folder ${path.slice(0, index + 1).join('\\')}`);
      }
      runs = await folder(inside.cluster);
    }
    return this.#entries(runs);
  }

  /** Where a file's content lies, in its order. */
  async runsOf({ cluster, size }: FatEntry): Promise<Run[]> {
    const clusters = await this.#chain(cluster, Math.ceil(size / this.#clusterSize));
    if (clusters.length * this.#clusterSize < size) {
      throw unreadable(this.#name, 'a file that ends before its end');
    }
    const runs = merged(clusters.map((one) => this.#place(one)));
    const beyond = clusters.length * this.#clusterSize - size;
    return runs.map((run, index) =>
      index === runs.length - 1 ? { ...run, size: run.size - beyond } : run,
    );
  }

  /** Where the table says which clusters belong to a file or folder. */
  async linksOf({ cluster, size, isFolder }: FatEntry): Promise<Run[]> {
    const most = isFolder ? mostFolderClusters : Math.ceil(size / this.#clusterSize);
    return merged((await this.#chain(cluster, most)).map((one) => this.#link(one)));
  }

  #place(cluster: number): Run {
    return { start: this.#data + (cluster - 2) * this.#clusterSize, size: this.#clusterSize };
  }

  #link(cluster: number): Run {
    return { start: this.#table.start + (cluster * this.#bits) / 8, size: this.#bits / 8 };
  }

  async #chain(first: number, most = mostFolderClusters): Promise<number[]> {
    const found: number[] = [];
    for (let cluster = first; cluster < (this.#bits === 32 ? 0x0ffffff8 : 0xfff8); ) {
      if (cluster < 2 || cluster >= this.#clusters + 2 || found.length >= most) {
        throw unreadable(this.#name, `a chain of clusters that leads to ${cluster}`);
      }
      found.push(cluster);
      const { start, size } = this.#link(cluster);
      const next = await this.#disk.read(start, size);
      cluster = size === 4 ? next.readUInt32LE() & 0x0fffffff : next.readUInt16LE();
    }
    return found;
  }

  async #entries(runs: readonly Run[]): Promise<FatEntry[]> {
    const found: FatEntry[] = [];
    let hasLongName = false;
    for (const { start, size } of runs) {
      const bytes = await this.#disk.read(start, size);
      for (let at = 0; at < size; at += fatEntrySize) {
        const entry = bytes.subarray(at, at + fatEntrySize);
        if (entry[0] === 0) return found;
        const attributes = entry.readUInt8(11);
        const isLongName = (attributes & 0x3f) === longName && entry[0] !== 0xe5;
        if (!isLongName && entry[0] !== 0xe5 && (attributes & volumeLabel) === 0) {
          found.push({
            ...{ name: entry.toString('latin1', 0, 11), isFolder: (attributes & folder) !== 0 },
            cluster:
              (this.#bits === 32 ? entry.readUInt16LE(20) * 0x10000 : 0) + entry.readUInt16LE(26),
            ...{ size: entry.readUInt32LE(28), position: start + at, hasLongName },
          });
        }
        hasLongName = isLongName;
      }
    }
    return found;
  }
}

/** Those that follow each other as one. */
function merged(runs: readonly Run[]): Run[] {
  const found: Run[] = [];
  for (const { start, size } of runs) {
    const last = found.at(-1);
    if (last !== undefined && last.start + last.size === start) {
      found[found.length - 1] = { start: last.start, size: last.size + size };
    } else {
      found.push({ start, size });
    }
  }
  return found;
}

/** A name of at most eight and three characters, as an entry stores it. */
export function shortName(name: string): string {
  const [base = '', ending = ''] = name.toUpperCase().split('.');
  return base.padEnd(8) + ending.padEnd(3);
}

function unreadable(where: string, found: string): PineError {
  return new PineError('INPUT_ESP', 'the EFI system partition can not be used', {
    expected: 'a FAT16 or FAT32 with sectors of 512 bytes and a folder EFI',
    found,
    where,
    remedy: 'check it with fsck.vfat, or make it anew with mkfs.vfat and grub-install',
  });
}
