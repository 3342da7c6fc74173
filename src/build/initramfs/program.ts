import { posix } from 'node:path';
import { PineError } from '../../error.ts';
import type { SourceTree } from '../source-tree.ts';
import type { CpioEntry } from './cpio.ts';
import { readElfNeeds } from './elf.ts';

/** Bytes of the largest program or library that is taken into an initramfs (S9). */
const largestProgram = 16 << 20;
/** More libraries than this are no busybox. */
const mostFiles = 16;
const libraryFolders = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];

/**
 * Takes a program out of a tree, with its dynamic loader and every library that these need.
 *
 * The program is put at `target`; loader and libraries at the paths where they are looked for.
 */
export async function collectProgram(
  tree: SourceTree,
  path: string,
  target: string,
): Promise<CpioEntry[]> {
  const entries = new Map<string, CpioEntry>();
  const pending = [{ path, target }];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (entries.has(next.target)) continue;
    if (entries.size >= mostFiles) throw tooMany(path);
    const content = await tree.readFile(next.path, largestProgram);
    entries.set(next.target, { kind: 'file', path: next.target, permissions: 0o755, content });
    const needs = readElfNeeds(content, next.path);
    const needed = needs.libraries.map((name) => findLibrary(tree, name, next.path, needs));
    for (const file of [
      ...(needs.interpreter === undefined ? [] : [needs.interpreter]),
      ...needed,
    ]) {
      pending.push({ path: file, target: file.slice(1) });
    }
  }
  return [...entries.values()];
}

function findLibrary(
  tree: SourceTree,
  name: string,
  wantedBy: string,
  { searchPath }: { searchPath: readonly string[] },
): string {
  const origin = posix.dirname(wantedBy);
  const folders = searchPath.map((folder) => folder.replace(/\$\{?ORIGIN\}?/g, origin));
  const found = [...folders, ...libraryFolders]
    .map((folder) => posix.join('/', folder, name))
    .find((path) => tree.resolve(path)?.node.kind === 'file');
  if (found !== undefined) return found;
  throw new PineError('INPUT_LIBRARY_MISSING', `${wantedBy} needs a library that is not there`, {
    expected: `${name} in ${libraryFolders.join(', ')}`,
    found: 'no such file in the tree',
    where: wantedBy,
    remedy: 'install the package that holds it',
  });
}

function tooMany(path: string): PineError {
  return new PineError('INPUT_ELF', `${path} needs too many libraries for an initramfs`, {
    expected: `at most ${mostFiles} files together`,
    found: 'more',
    where: path,
    remedy: "use the distribution's busybox",
  });
}
