import type { SourceTree } from '../source-tree.ts';
import { findFile, requireProgram } from './tree-facts.ts';

const script = '/etc/init.d/pine-boot-complete';
const link = '/etc/runlevels/default/pine-boot-complete';

/** Checks that a tree has the OpenRC service that confirms a boot, and OpenRC. */
export function checkService(tree: SourceTree): void {
  const overlay = 'lay the overlay of `npm run build` over the root';
  requireProgram(
    tree,
    ['/sbin/openrc', '/usr/sbin/openrc'],
    'services need OpenRC',
    '`apk add openrc`',
  );
  requireProgram(tree, [script], 'nothing would confirm a boot of this tree', overlay);
}

/** Enables the service in the default runlevel, if it is not. */
export function enableService(tree: SourceTree): void {
  if (findFile(tree, link) === undefined) tree.putLink(link, script);
}
