import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeCuts, type Recording } from './cut-lanes.ts';
import { readBytes } from './disk-bytes.ts';
import { copyDisk } from './lab.ts';
import { cutAt } from './power-cut.ts';
import { findPhases, type TakeOverPhases } from './take-over-phases.ts';
import { type LoggedRequest, sectorSize, WriteLog } from './write-log.ts';

/** A take-over of a real machine, from before it was prepared until pine was up, with every write to its disk. */
export interface RecordedTakeOver extends Recording {
  readonly phases: TakeOverPhases;
  /** A disk as the old system left it to the installer. Not to be changed. */
  readonly handedOver: string;
}

const done = (folder: string) => join(folder, 'recorded');

/** Whether a whole take-over was recorded in a folder. */
export function isRecorded(folder: string): boolean {
  return existsSync(done(folder));
}

/** What `DebianMachine` kept in a folder is a whole take-over. */
export function markRecorded(folder: string): void {
  writeFileSync(done(folder), '');
}

/** Opens what was recorded. */
export async function openRecorded(folder: string): Promise<RecordedTakeOver> {
  if (!isRecorded(folder)) throw new Error('no take-over was recorded: that test failed');
  const log = new WriteLog(join(folder, 'writes'));
  const phases = findPhases(log);
  console.log(`e2e: a take-over of ${log.requests.length} requests`, phases);
  const handedOver = join(folder, 'handed-over.img');
  if (!existsSync(handedOver)) {
    const cuts = [cutAt(log, phases.handedOver)];
    await judgeCuts({ folder, log }, 'handed over', cuts, async (disk) => {
      await copyDisk(disk, handedOver);
      return 'kept';
    });
  }
  return { folder, log, phases, handedOver };
}

/** The sectors that a write gives other bytes than a disk has. */
export function changedSectors(disk: string, log: WriteLog, write: LoggedRequest): number[] {
  const size = write.sectors * sectorSize;
  const [before, after] = [
    readBytes(disk, { start: write.sector * sectorSize, size }),
    log.read(write),
  ];
  const sectors = Array.from({ length: write.sectors }, (_, index) => index);
  const at = (bytes: Buffer, index: number) =>
    bytes.subarray(index * sectorSize, (index + 1) * sectorSize);
  return sectors
    .filter((index) => !at(before, index).equals(at(after, index)))
    .map((index) => write.sector + index);
}

/** The sectors in which two disks differ. */
export function differingSectors(one: string, other: string): Promise<number[]> {
  return new Promise((resolve, reject) => {
    execFile('cmp', ['-l', one, other], { maxBuffer: 64 << 20 }, (error, stdout) => {
      if (error !== null && error.code !== 1) return reject(error);
      const lines = stdout.split('\n').filter(Boolean);
      const sectors = lines.map((line) => Math.floor((Number.parseInt(line, 10) - 1) / sectorSize));
      resolve([...new Set(sectors)]);
    });
  });
}
