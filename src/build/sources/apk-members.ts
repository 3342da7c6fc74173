import { createReadStream } from 'node:fs';
import { Gunzip } from 'fflate';
import { corruptApk } from './corrupt-apk.ts';

/** What stands before a package's files is a few kilobytes (S5). */
const longestStart = 4 * 1024 * 1024;

/** The three gzip members of an .apk: signatures, what the package is, its files. */
export interface ApkMembers {
  /** As they are in the file: packed. */
  readonly signatures: Buffer;
  readonly control: Buffer;
  /** Where the third one begins. */
  readonly dataAt: number;
}

/**
 * Finds the members of a package by unpacking up to the third; node:zlib does not tell where one ends.
 * Source: the Alpine wiki, "Apk spec", version 2. Throws CORRUPT_APK.
 */
export async function findApkMembers(path: string): Promise<ApkMembers> {
  const starts: number[] = [];
  const pieces: Buffer[] = [];
  let read = 0;
  let unpacked = 0;
  const gunzip = new Gunzip((piece) => {
    unpacked += piece.length;
  });
  gunzip.onmember = (offset) => starts.push(offset);
  for await (const piece of createReadStream(path, { highWaterMark: 4096 })) {
    pieces.push(piece);
    read += piece.length;
    push(gunzip, piece, path);
    if (starts.length >= 2) break;
    if (Math.max(read, unpacked) > longestStart) {
      throw corruptApk(`at most ${longestStart} bytes before its files`, 'more', path);
    }
  }
  const [controlAt = 0, dataAt] = starts;
  if (dataAt === undefined) {
    throw corruptApk('three gzip members', `${starts.length + 1} and then its end`, path);
  }
  const start = Buffer.concat(pieces);
  return {
    signatures: start.subarray(0, controlAt),
    control: start.subarray(controlAt, dataAt),
    dataAt,
  };
}

function push(gunzip: Gunzip, piece: Uint8Array, path: string): void {
  try {
    gunzip.push(piece);
  } catch (error) {
    throw corruptApk('gzip members', (error as Error).message, path);
  }
}
