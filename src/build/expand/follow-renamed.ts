import { dirname } from 'node:path/posix';
import type { Kept } from './expand-compressed.ts';
import type { NamedLink } from './packed-files.ts';
import type { RenamedFiles } from './renamed-files.ts';

/**
 * Lets links lead to files that were renamed, and renames those links that are manuals, documents or
 * modules themselves. Others keep their names, such as Debian's alternatives in /etc, which are
 * on the way from one manual to another.
 */
export function followRenamedFiles(
  renamed: RenamedFiles,
  links: readonly NamedLink[],
): { readonly links: number; readonly kept: readonly Kept[] } {
  const kept: Kept[] = [];
  let followed = 0;
  let waiting = links;
  // A link to a link can only follow once that one has.
  for (let before = -1; before !== waiting.length; ) {
    before = waiting.length;
    waiting = waiting.filter((link) => {
      const from = dirname(link.path);
      if (renamed.newName(link.node.target, from) === undefined) return true;
      follow(renamed, link, from, kept);
      followed += 1;
      return false;
    });
  }
  return { links: followed, kept };
}

function follow(renamed: RenamedFiles, link: NamedLink, from: string, kept: Kept[]): void {
  const { folder, name, path, plainName } = link;
  const target = renamed.newPath(link.node.target, from) ?? link.node.target;
  const node = { ...link.node, target };
  if (plainName !== undefined && renamed.isFree({ ...link, plainName })) {
    renamed.rename({ folder, name, plainName }, node);
    return;
  }
  if (plainName !== undefined) kept.push({ path, reason: `${plainName} is there already` });
  folder.entries.set(name, node);
  renamed.note(folder, name);
}
