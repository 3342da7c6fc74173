import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { makeSingle } from './build/single.ts';

/**
 * `npm run build:single`: pinectl with Node.js in it, as one file for servers that have no Node.js, and
 * the same gzipped. Prints their sizes and how long a start takes, beside that of Node.js alone.
 */
async function main(): Promise<void> {
  const project = resolve(import.meta.dirname, '..');
  mkdirSync(join(project, 'dist'), { recursive: true });
  const output = join(project, 'dist', `pinectl-linux-${process.arch}`);
  await makeSingle(project, output);
  const packed = `${output}.gz`;
  await pipeline(createReadStream(output), createGzip({ level: 9 }), createWriteStream(packed));
  for (const path of [output, packed]) {
    process.stdout.write(`${path}  ${statSync(path).size} bytes\n`);
  }
  const own = medianStart(output, ['--version']);
  const bare = medianStart(process.execPath, ['-e', '0']);
  process.stdout.write(
    `start-up: ${own.toFixed(0)} ms for --version; Node.js alone ${bare.toFixed(0)} ms (median of 9)\n`,
  );
}

/** Milliseconds from start to exit. */
function medianStart(program: string, args: readonly string[]): number {
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now();
    execFileSync(program, args, { cwd: '/', env: {} });
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[4] ?? 0;
}

await main();
