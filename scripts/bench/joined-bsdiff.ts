import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  globSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * What bsdiff knows of two trees, at its best: bsdiff of each changed file of the new one, with the old one of the same
 * path (numbers apart), the three streams of all patches joined without bsdiff's own compression, and xz -9e of each.
 * Files without an old one are joined to what is sent as it is. `node joined-bsdiff.ts OLD NEW FOLDER`
 */
const [old = '', tree = '', folder = ''] = process.argv.slice(2);

const streams = ['control', 'differences', 'extra'].map((name) => join(folder, name));
for (const stream of streams) writeFileSync(stream, '');
const similar = new Map<string, string>();
for (const path of filesOf(old)) similar.set(withoutNumbers(path), path);
for (const path of filesOf(tree)) addFile(path);
for (const stream of streams) execFileSync('xz', ['-9e', '-k', '-f', stream]);

function addFile(path: string): void {
  const reference = existsSync(join(old, path)) ? path : similar.get(withoutNumbers(path));
  if (reference === undefined) {
    append(2, readFileSync(join(tree, path)));
    return;
  }
  const [before, after] = [join(old, reference), join(tree, path)];
  if (readFileSync(before).equals(readFileSync(after))) return;
  const patch = join(folder, 'patch');
  execFileSync('bsdiff', [before, after, patch]);
  const bytes = readFileSync(patch);
  const [control, differences] = [
    Number(bytes.readBigInt64LE(8)),
    Number(bytes.readBigInt64LE(16)),
  ];
  const ends = [32, 32 + control, 32 + control + differences, bytes.length];
  streams.forEach((_, index) => {
    const input = bytes.subarray(ends[index], ends[index + 1]);
    append(index, execFileSync('bzip2', ['-dc'], { input, maxBuffer: 1 << 30 }));
  });
}

function append(stream: number, bytes: Uint8Array): void {
  appendFileSync(streams[stream] ?? '', bytes);
}

function filesOf(root: string): string[] {
  return globSync('**', { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => statSync(join(root, path)).size > 0)
    .sort();
}

function withoutNumbers(path: string): string {
  return path.replace(/\d+/g, '0');
}
