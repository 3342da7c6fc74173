import { PineError } from '../../error.ts';
import type { SourceContent, SourceFile } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import { findFile, notBootable } from './tree-facts.ts';

/** A kernel in a tree that has been found whole. */
export interface Kernel {
  readonly path: string;
  readonly file: SourceFile;
  /** What `uname -r` will say: the name of its folder in /lib/modules. */
  readonly version: string;
}

/** Bytes of the start of a kernel that tell everything about it. */
const setupSize = 64 * 1024;

/**
 * Finds the kernel of a tree: `path` if given, else the one /boot/vmlinuz* there is.
 * (`/boot/vmlinuz` itself counts only when it is alone: pine makes it out of the other.)
 */
export async function findKernel(tree: SourceTree, path?: string): Promise<Kernel> {
  const chosen = path ?? theOnlyKernel(tree);
  const file = findFile(tree, chosen);
  if (file === undefined) {
    throw notBootable('the tree has no such kernel', {
      expected: 'a kernel',
      found: 'no file',
      where: chosen,
      remedy: 'name a kernel that the tree has with --kernel',
    });
  }
  const start = await readStart(file.content, setupSize);
  return { path: chosen, file, version: checkKernel(start, file.content.size, chosen) };
}

function theOnlyKernel(tree: SourceTree): string {
  const boot = tree.resolve('/boot')?.node;
  const names = boot?.kind === 'directory' ? [...boot.entries.keys()] : [];
  const kernels = names.filter((name) => /^vmlinuz-/.test(name)).sort();
  if (kernels.length === 0 && names.includes('vmlinuz')) return '/boot/vmlinuz';
  const [only, ...others] = kernels;
  if (only !== undefined && others.length === 0) return `/boot/${only}`;
  throw notBootable(
    only === undefined ? 'the tree has no kernel' : 'the tree has several kernels',
    {
      expected: 'exactly one /boot/vmlinuz-…',
      found: only === undefined ? 'none' : kernels.join(', '),
      where: '/boot',
      remedy:
        only === undefined
          ? 'install one into the root: `apk add --root ROOT linux-virt`'
          : 'remove all but one, or name one with --kernel',
    },
  );
}

/**
 * Checks that a kernel is an x86 bzImage of which nothing is missing, by its own header
 * (Linux, Documentation/arch/x86/boot.rst): GRUB 2.06 loads one that was cut short, and hangs.
 *
 * `start` are its first bytes, `size` is the file's. Returns its version; throws INPUT_KERNEL.
 */
export function checkKernel(start: Buffer, size: number, where: string): string {
  const fail = (expected: string, found: string): never => {
    throw new PineError('INPUT_KERNEL', `${where} is no kernel that GRUB could start`, {
      expected,
      found,
      where,
      remedy: 'install the kernel again: it was cut short or is of another kind',
    });
  };
  const magic = start.length < 0x250 ? '' : start.toString('latin1', 0x202, 0x206);
  if (magic !== 'HdrS' || start.readUInt16LE(0x1fe) !== 0xaa55) {
    return fail('an x86 kernel (bzImage)', 'a file without its header');
  }
  const setupSectors = start.readUInt8(0x1f1) || 4;
  const needed = (setupSectors + 1) * 512 + start.readUInt32LE(0x1f4) * 16;
  if (size < needed) return fail(`${needed} bytes, as its header says`, `${size} bytes`);
  const versionAt = start.readUInt16LE(0x20e) + 0x200;
  const text = start.toString('latin1', versionAt, Math.min(versionAt + 256, start.length));
  const version = /^[\w.+~-]{1,64}(?=[ \0])/.exec(text)?.[0];
  return version ?? fail('a version in its header', JSON.stringify(text.slice(0, 20)));
}

/** Reads at most `length` bytes from the start of a file. */
async function readStart(content: SourceContent, length: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let got = 0;
  for await (const piece of content.open()) {
    pieces.push(piece);
    got += piece.length;
    if (got >= length) break;
  }
  return Buffer.concat(pieces).subarray(0, length);
}
