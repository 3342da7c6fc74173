/** How a file is packed, by the end of its name. */
export type Packing = 'gz' | 'xz' | 'zst';

/** A packed file whose readers take a plain one as well, and its name without the ending. */
export interface Candidate {
  readonly kind: 'module' | 'manual' | 'document';
  readonly packing: Packing;
  readonly plainName: string;
}

const packed = /^(.+)\.(gz|xz|zst)$/;
/** Archives are opened as what they are called. */
const archive = /\.(tar|cpio)$/;

/**
 * Whether what a path names is expanded: kernel modules, manuals and info pages, documents. `undefined`
 * for all else: a program may look for it under the very name that it has.
 */
export function candidate(path: string): Candidate | undefined {
  const kind = kindOf(path);
  const [, plainName = '', packing] = packed.exec(path.slice(path.lastIndexOf('/') + 1)) ?? [];
  if (kind === undefined || packing === undefined || archive.test(plainName)) return undefined;
  if (kind === 'module' && !plainName.endsWith('.ko')) return undefined;
  return { kind, packing: packing as Packing, plainName };
}

/** Whether a path is that of a manual, packed or not. */
export function isManual(path: string): boolean {
  return kindOf(path) === 'manual';
}

/** The folder of a kernel's modules that a path lies in. */
export function modulesFolder(path: string): string | undefined {
  return /^(?:\/usr)?\/lib\/modules\/[^/]+(?=\/)/.exec(path)?.[0];
}

function kindOf(path: string): Candidate['kind'] | undefined {
  if (modulesFolder(path) !== undefined) return 'module';
  if (/^\/usr\/share\/(man|info)\//.test(path)) return 'manual';
  return /^\/usr\/share\/doc\//.test(path) ? 'document' : undefined;
}
