import type { Progress } from '../../ports/progress.ts';
import type { SourceFile } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import { Spool } from '../sources/spool.ts';
import { modulesFolder } from './candidates.ts';
import { followRenamedFiles } from './follow-renamed.ts';
import { followManualReferences } from './manual-references.ts';
import { rewriteModuleLists } from './module-lists.ts';
import { type PackedFile, packedFiles } from './packed-files.ts';
import { RenamedFiles } from './renamed-files.ts';
import { unpackBounded } from './unpack.ts';

/** What became of the packed files of a tree. */
export interface Expansion {
  /** Names that are plain files now; hard links count each. */
  readonly files: number;
  /** Symbolic links that lead to them under another name or target. */
  readonly links: number;
  /** Of these files, packed and plain; hard links count once. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** What stays packed, and why. */
  readonly kept: readonly Kept[];
}

export interface Kept {
  readonly path: string;
  readonly reason: string;
}

/** An expansion whose contents can be read until it is closed. */
export interface OpenedExpansion extends Expansion {
  close(): void;
}

/**
 * Stores the packed kernel modules, manuals and documents of a tree plain, so that deltas see what is in
 * them. Mode, owner and attributes stay. Links, `.so` lines and the lists of modules follow the names.
 *
 * What can't be unpacked, or would take a name that is there, stays as it is and is named. Plain contents
 * wait in `folder`, in a nameless file. Throws INPUT_MODULES_DEP, PROGRAM_MISSING, and as the contents do.
 */
export async function expandCompressed(
  tree: SourceTree,
  folder: string,
  progress: Progress = () => {},
): Promise<OpenedExpansion> {
  const spool = new Spool(folder);
  try {
    return { ...(await expand(tree, spool, progress)), close: () => spool.close() };
  } catch (error) {
    spool.close();
    throw error;
  }
}

async function expand(tree: SourceTree, spool: Spool, progress: Progress): Promise<Expansion> {
  const { files, links } = packedFiles(tree);
  const renamed = new RenamedFiles(tree.root);
  const unpacked = new Map<SourceFile, SourceFile | string>();
  const kept: Kept[] = [];
  const sizes = new Map(files.map(({ node }) => [node, node.content.size]));
  const total = sum(sizes.values());
  let done = 0;
  let count = 0;
  const moduleFolders = new Set<string>();
  for (const file of files) {
    const plain = renamed.isFree(file) ? await unpackOnce(file, unpacked, spool) : occupied(file);
    if (typeof plain === 'string') kept.push({ path: file.path, reason: plain });
    else {
      renamed.rename(file, plain);
      count += 1;
      const modules = modulesFolder(file.path);
      if (modules !== undefined) moduleFolders.add(modules);
    }
    done += sizes.get(file.node) ?? 0;
    sizes.delete(file.node);
    progress(done, total, 'Expanding');
  }
  const followed = followRenamedFiles(renamed, links);
  await followManualReferences(tree, renamed);
  for (const modules of moduleFolders) await rewriteModuleLists(tree, modules, renamed);
  const pairs = [...unpacked].filter(
    (pair): pair is [SourceFile, SourceFile] => typeof pair[1] !== 'string',
  );
  return {
    files: count,
    links: followed.links,
    bytesBefore: sum(pairs.map(([packed]) => packed.content.size)),
    bytesAfter: sum(pairs.map(([, plain]) => plain.content.size)),
    kept: [...kept, ...followed.kept],
  };
}

/** Names of one file keep sharing a node. */
async function unpackOnce(
  { path, node, packing }: PackedFile,
  unpacked: Map<SourceFile, SourceFile | string>,
  spool: Spool,
): Promise<SourceFile | string> {
  const known = unpacked.get(node);
  if (known !== undefined) return known;
  const content = await unpackBounded(node.content, packing, spool, path);
  const made = typeof content === 'string' ? content : { ...node, content };
  unpacked.set(node, made);
  return made;
}

function occupied({ plainName }: PackedFile): string {
  return `${plainName} is there already`;
}

function sum(sizes: Iterable<number>): number {
  return [...sizes].reduce((total, size) => total + size, 0);
}
