import type { SourceTree } from '../source-tree.ts';
import { findFile, requireProgram } from './tree-facts.ts';

const scripts = ['/etc/init.d/pine-boot-complete', '/etc/init.d/pine-finalize-staged'] as const;

/** Checks that a tree has OpenRC, and the services that confirm a boot and arm what is staged. */
export function checkServices(tree: SourceTree): void {
  const overlay = 'lay the overlay of `npm run build` over the root';
  requireProgram(
    tree,
    ['/sbin/openrc', '/usr/sbin/openrc'],
    'services need OpenRC',
    '`apk add openrc`',
  );
  const [confirms, arms] = scripts;
  requireProgram(tree, [confirms], 'nothing would confirm a boot of this tree', overlay);
  requireProgram(
    tree,
    [arms],
    'nothing would arm what is staged when the machine goes down',
    overlay,
  );
}

/** Enables the services in the default runlevel, where they are not. */
export function enableServices(tree: SourceTree): void {
  for (const script of scripts) {
    const link = script.replace('/init.d/', '/runlevels/default/');
    if (findFile(tree, link) === undefined) tree.putLink(link, script);
  }
}
