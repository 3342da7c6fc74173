import type { SourceDirectory, SourceNode } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import type { FilterRule } from './rules.ts';

/** What a filter did. */
export interface FilterResult {
  /** How many names were taken out of the tree. */
  readonly dropped: number;
  /** Rules that met nothing: they may be mistaken. */
  readonly unused: readonly FilterRule[];
}

/**
 * Applies rules to a tree. Of the keep and drop rules that match a name, or a folder above it, the last
 * one counts; a folder stays as long as something in it does. Mode and owner rules change what
 * they match, later ones over earlier ones; modes are those of files, or of folders where the pattern
 * ends in a slash.
 */
export function applyFilter(tree: SourceTree, rules: readonly FilterRule[]): FilterResult {
  const used = new Set<FilterRule>();
  let dropped = 0;

  const matching = (path: string, node: SourceNode): FilterRule[] => {
    const isDirectory = node.kind === 'directory';
    const found = rules.filter(
      ({ glob, onlyDirectories }) => (isDirectory || !onlyDirectories) && glob.test(path),
    );
    for (const rule of found) used.add(rule);
    return found;
  };

  /** `undefined`: the name goes. `above` is the rule that counts for the folder it is in. */
  const filter = (path: string, node: SourceNode, above?: FilterRule): SourceNode | undefined => {
    const found = matching(path, node);
    const isVerdict = ({ action }: FilterRule) => action === 'keep' || action === 'drop';
    const own = found.findLast(isVerdict);
    const verdict = isLater(own, above) ? own : above;
    if (node.kind === 'directory') filterEntries(path, node, verdict);
    const isEmpty = node.kind !== 'directory' || node.entries.size === 0;
    if (verdict?.action === 'drop' && isEmpty && path !== '/') {
      dropped += 1;
      return undefined;
    }
    return found.reduce(change, node);
  };

  const filterEntries = (path: string, node: SourceDirectory, verdict?: FilterRule): void => {
    for (const [name, child] of [...node.entries]) {
      const kept = filter(`${path === '/' ? '' : path}/${name}`, child, verdict);
      if (kept === undefined) node.entries.delete(name);
      else node.entries.set(name, kept);
    }
  };

  Object.assign(tree.root, filter('/', tree.root));
  return { dropped, unused: rules.filter((rule) => !used.has(rule)) };
}

function isLater(own: FilterRule | undefined, above: FilterRule | undefined): boolean {
  return own !== undefined && own.line > (above?.line ?? 0);
}

function change(node: SourceNode, rule: FilterRule): SourceNode {
  if (rule.action === 'owner') return { ...node, uid: rule.uid, gid: rule.gid };
  const isMeant = rule.onlyDirectories ? node.kind === 'directory' : node.kind === 'file';
  if (rule.action !== 'mode' || !isMeant) return node;
  return { ...node, mode: (node.mode & ~0o7777) | rule.mode };
}
