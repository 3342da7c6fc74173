import { compressBody } from '../../gzip/compress-body.ts';
import { effortOf, type GzipProgram, gzipPrograms } from '../../gzip/effort.ts';
import { expandBody } from '../../gzip/expand-body.ts';
import { InvalidGzip } from '../../gzip/invalid-gzip.ts';
import { longestHeader, memberHeaderSize } from '../../gzip/member.ts';
import type { ReadBytes } from '../../ports/read-bytes.ts';
import { codecNumber, deltaVersions } from '../format/delta-format.ts';
import type { Codec, Payload } from './codec.ts';

/** The number that says how a body was made is the level, and so much more for each program before. */
const numbersOfProgram = 16;
/** What gzip writes into the header for its best level; for all between that and the fastest 0. */
const slowest = 2;
const slowestAt = 8;

/** What `gzip`, or zlib, makes behind the header of a member. The number tells program and level. */
export const gzipBody: Codec = {
  parameterCount: () => 1,
  versionFor: ([number = 0]) =>
    programOf(number) === 'zlib' ? deltaVersions.zlib : deltaVersions.oldest,
  expand: expandBody,
  compress(content, size, [number = 0]) {
    const effort = effortOf(number % numbersOfProgram);
    const program = programOf(number);
    if (effort === undefined || program === undefined) {
      throw new InvalidGzip(`a way to compress of number ${number}`);
    }
    return compressBody(content, size, effort, program);
  },
};

function programOf(number: number): GzipProgram | undefined {
  return gzipPrograms[Math.floor(number / numbersOfProgram)];
}

/** What is behind the header, if the `size` bytes from `offset` on are one member. */
export async function findGzip(
  read: ReadBytes,
  offset: number,
  size: number,
): Promise<Payload | undefined> {
  const start = await read(offset, Math.min(longestHeader, size));
  try {
    const header = memberHeaderSize(start);
    const level = start[slowestAt] === slowest ? 9 : 6;
    const ways = gzipPrograms.map((_, index) => [index * numbersOfProgram + level]);
    return { codec: codecNumber.gzipBody, offset: offset + header, size: size - header, ways };
  } catch (error) {
    if (error instanceof InvalidGzip) return undefined;
    throw error;
  }
}
