import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { PineError } from '../../error.ts';
import { corruptCompression } from '../sources/unpacked-stream.ts';

/** What the decoder may take: twice the dictionary of `xz -9` (S9). */
const memoryLimit = '128MiB';

/**
 * Unpacks xz with the program of that name: Node.js has no decoder of it. Throws PROGRAM_MISSING,
 * CORRUPT_COMPRESSION, and as the source does.
 */
export async function* unpackXz(
  source: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const limit = `--memlimit-decompress=${memoryLimit}`;
  const child = spawn('xz', ['--decompress', '--stdout', '--format=xz', limit], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const input = Readable.from(source, { objectMode: false });
  let failure: unknown;
  input.on('error', (error) => {
    failure = error;
    child.kill();
  });
  // The exit status tells what went wrong.
  child.stdin.on('error', () => {});
  input.pipe(child.stdin);
  let message = '';
  child.stderr.on('data', (text: Buffer) => {
    if (message.length < 4096) message += text.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('close', resolve);
  });
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const status = await ended;
    if (failure !== undefined) throw failure;
    if (child.pid === undefined) throw missing(where);
    if (status !== 0) throw corruptCompression(lastLine(message, status), where);
  } finally {
    input.destroy();
    child.kill();
  }
}

function lastLine(message: string, status: number | null): string {
  const line = message.trim().split('\n').at(-1);
  return line ? line.replace(/^xz: \(stdin\): /, '') : `xz ended with ${status}`;
}

function missing(where: string): PineError {
  return new PineError('PROGRAM_MISSING', 'the program xz is missing', {
    expected: 'xz in PATH, for files that end in .xz',
    found: 'no such program',
    where,
    remedy:
      'install the package xz-utils (Debian), xz (Alpine), or commit without --expand-compressed',
  });
}
