import { PineError } from '../../error.ts';

/** What stays when neither the image nor the administrator lists anything. */
export const standardPaths = ['/var', '/home', '/root', '/srv', '/opt', '/usr/local'] as const;

/** Bytes of the largest list that is read. */
export const stateListLimit = 64 * 1024;

/** Paths beyond this many are passed over; a mount takes memory that a small machine lacks. */
export const mostPaths = 64;

/** A line of a list that is passed over, and why. */
export interface PassedOver {
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

/** What a list comes to. */
export interface StateList {
  readonly paths: readonly string[];
  readonly passedOver: readonly PassedOver[];
}

/** Not the machine's to keep: what pine and the kernel mount, and /etc, which each deployment has for itself. */
const taken = ['/etc', '/usr/etc', '/dev', '/proc', '/sys', '/run', '/tmp', '/data', '/boot'];
/** Keeping one of these would hide the programs of every later release. */
const programs = ['/usr', '/bin', '/sbin', '/lib', '/usr/bin', '/usr/sbin', '/usr/lib'];

/**
 * Reads `state.list`: one absolute path a line, # for comments. The initramfs follows the same rules
 * (src/build/initramfs/init.sh), so what is passed over here is passed over at a boot.
 *
 * `before` are paths that are kept already.
 */
export function parseStateList(text: string, before: readonly string[] = []): StateList {
  const paths: string[] = [];
  const passedOver: PassedOver[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const path = line.trim().split(/[ \t]+/)[0] ?? '';
    if (path === '' || path.startsWith('#')) continue;
    const why = whyNot(path, [...before, ...paths]);
    if (why === undefined) paths.push(path);
    else passedOver.push({ line: index + 1, text: path, why });
  }
  return { paths, passedOver };
}

/** Why a path can't be kept besides `kept`; `undefined` when it can. */
export function whyNot(path: string, kept: readonly string[]): string | undefined {
  const isPlain = /^(\/[A-Za-z0-9._+@]([A-Za-z0-9._+@-]*[A-Za-z0-9._+@])?)+$/.test(path);
  if (!isPlain || /\/\.\.?(\/|$)/.test(path)) {
    return 'not an absolute path of letters, digits and . _ + @ - (within names)';
  }
  if (taken.some((folder) => isWithin(path, folder))) return 'pine or the kernel mounts it';
  if (programs.includes(path)) return 'the programs of later releases would be hidden';
  const outer = kept.find((folder) => isWithin(path, folder));
  if (outer !== undefined) return `${outer} stays already`;
  const inner = kept.find((folder) => isWithin(folder, path));
  if (inner !== undefined) return `${inner} in it stays already`;
  if (kept.length >= mostPaths) return `there are ${mostPaths} already`;
  return undefined;
}

/** The text of a list with one more path. Throws INPUT_STATE_PATH when it can't be kept besides `before`. */
export function withPath(text: string, path: string, before: readonly string[]): string {
  const kept = [...before, ...parseStateList(text, before).paths];
  const why = whyNot(path, kept);
  if (why !== undefined) {
    throw new PineError('INPUT_STATE_PATH', 'this path can not be made to stay', {
      expected: 'a folder of the image that does not stay yet',
      found: `${path}: ${why}`,
      where: 'the command line',
      remedy: 'see `pinectl state list`, and docs/state.md for what can be listed',
    });
  }
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${separator}${path}\n`;
}

/** The folder below /data/state that stands for a path. No two paths have the same. */
export function stateFolderOf(path: string): string {
  return path.slice(1).replaceAll('-', '--').replaceAll('/', '-');
}

/** Whether a path is `folder` or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}
