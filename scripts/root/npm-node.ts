import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, hasProgram, projectFolder, run } from './programs.ts';

/**
 * Puts Node.js from the npm package `node` into a root, stripped, with the glibc loader and
 * libraries that it needs at their usual paths: a musl system does not look there.
 */
export async function installNpmNode(root: string): Promise<void> {
  const binary = realpathSync(join(projectFolder, 'node_modules/.bin/node'));
  const libraries = [...(await run('ldd', [binary])).matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(
    ([, path]) => (path === undefined ? [] : [path]),
  );
  if (!libraries.some((path) => path.includes('ld-linux'))) {
    throw new Error(`${binary} is not a program for glibc: its loader is not in ldd's answer`);
  }
  copy(await stripped(binary), join(root, 'usr/bin/node'), 0o755);
  for (const path of libraries) copy(realpathSync(path), join(root, path), 0o755);
}

/** The program without debugging symbols: 108 MB instead of 127 MB. Kept for the next root. */
async function stripped(binary: string): Promise<string> {
  if (!hasProgram('strip')) return binary;
  const { size, mtimeMs } = statSync(binary);
  const kept = join(cacheFolder, `node-${size}-${Math.floor(mtimeMs)}`);
  if (!existsSync(kept)) {
    mkdirSync(dirname(kept), { recursive: true });
    await run('strip', ['-o', `${kept}.new`, binary]);
    await run('mv', [`${kept}.new`, kept]);
  }
  return kept;
}

function copy(from: string, to: string, mode: number): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, mode);
}
