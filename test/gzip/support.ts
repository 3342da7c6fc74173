import { spawnSync } from 'node:child_process';
import { compressBody } from '../../src/gzip/compress-body.ts';
import { effortOf, type GzipProgram } from '../../src/gzip/effort.ts';

/** Bytes of the header that `gzip -n` writes. */
export const headerSize = 10;

/** What the program of this machine makes of something. */
export function gzip(content: Uint8Array, level = 9, command = ['gzip']): Buffer {
  const [program = '', ...args] = command;
  const { stdout, status } = spawnSync(program, [...args, '-n', `-${level}`, '-c'], {
    input: content,
    maxBuffer: 256 << 20,
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  return stdout;
}

/** What pine makes of it, behind the header; given to it in pieces of `step` bytes. */
export async function bodyOf(
  content: Uint8Array,
  { level = 9, program = 'gzip' as GzipProgram, step = 50_000 } = {},
): Promise<Buffer> {
  const effort = effortOf(level);
  if (effort === undefined) throw new RangeError(`level ${level}`);
  const source = async function* () {
    for (let at = 0; at < content.length; at += step) yield content.subarray(at, at + step);
  };
  const pieces: Buffer[] = [];
  for await (const piece of compressBody(source(), content.length, effort, program)) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}
