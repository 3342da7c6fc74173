import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DebianKernel, installDebianKernel } from './debian-kernel.ts';
import { type Mirror, rootFromMirror } from './mirror.ts';
import { installNpmNode } from './npm-node.ts';
import { run, sharedAlpine } from './programs.ts';
import { configureServer, installOverlay, serverPackages } from './server.ts';
import { rootWithoutPrivileges } from './unprivileged.ts';

/** What a root is made of. */
export interface RootOptions {
  /** One of the two states that `make-root.sh` beside the project makes, or packages of a mirror. */
  readonly base: 'v1' | 'v2' | Mirror;
  readonly kernel: 'alpine' | DebianKernel | 'none';
  readonly node: 'alpine' | 'npm' | 'none';
  /** gzips Debian's modules, as Alpine's are. */
  readonly compressModules?: boolean;
  /** pine's overlay, from `npm run build`. */
  readonly overlay?: string;
  /** Packages of Alpine beside those of a small server; for a mirror. */
  readonly packages?: readonly string[];
  /** Makes do without root: a smaller system, whose files belong to the caller. */
  readonly unprivileged?: boolean;
}

/**
 * Builds the root of an Alpine server in the folder `root`, which it replaces. Needs root (chroot),
 * unless `unprivileged`.
 */
export async function buildRoot(root: string, options: RootOptions): Promise<void> {
  const { base, kernel, node } = options;
  const fromAlpine = [
    ...(kernel === 'alpine' ? ['linux-virt'] : []),
    ...(node === 'alpine' ? ['nodejs'] : []),
    ...(options.packages ?? []),
  ];
  if (typeof base === 'string' && fromAlpine.length > 0) {
    throw new Error(`${sharedAlpine} has no ${fromAlpine}: take Debian's kernel and npm's Node.js`);
  }
  if (options.unprivileged) await rootWithoutPrivileges(root, base, fromAlpine);
  else if (typeof base === 'string') await rootFromShared(root, base);
  else await rootFromMirror(root, base, [...serverPackages, ...fromAlpine]);
  configureServer(root);
  if (kernel === 'cloud' || kernel === 'standard') {
    await installDebianKernel(root, kernel, { compressModules: options.compressModules ?? false });
  }
  if (node === 'npm') await installNpmNode(root);
  if (options.overlay !== undefined) await installOverlay(root, options.overlay);
}

/** Runs the archives' own script, which always makes both states, and keeps the one asked for. */
async function rootFromShared(root: string, version: 'v1' | 'v2'): Promise<void> {
  const work = `${root}.shared`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    await run('sh', [join(sharedAlpine, 'make-root.sh'), work]);
    rmSync(root, { recursive: true, force: true });
    renameSync(join(work, version), root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
