import { replaceFile } from '../../deploy/durable-file.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { EtcEntry } from '../walk.ts';

/** What the last record found. */
export interface StatCache extends Recorded {
  /** Of each path its blob, if it has one, and by what it shows that it has not changed since. */
  readonly paths: ReadonlyMap<string, { readonly stamp: string; readonly id: string }>;
}

/** What the last record was of. */
export interface Recorded {
  /** The deployment whose /etc it is. */
  readonly deployment: string;
  /** The newest revision of the branch `machine`. */
  readonly revision: string;
  /** The commit of the release that was running. */
  readonly release: string;
  /** The deployment that was left last, and whose /etc is recorded for that; empty if none was. */
  readonly left: string;
}

/** The most that the cache file may be, in bytes: 100,000 paths. A larger one counts as lost. */
const cacheLimit = 16 * 1024 * 1024;
const magicWord = 'pine-etc-cache 1';
/** Stands for the id of what has no blob. */
export const noBlob = '-';

/** Reads the cache; `undefined` when there is none that can be used, and everything is read again. */
export async function readStatCache(
  files: FileSystem,
  folder: string,
): Promise<StatCache | undefined> {
  const bytes = await files.readFile(cacheFile(folder), cacheLimit).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const [head = '', ...lines] = bytes.toString('utf8').split('\n');
  const [magic, deployment = '', revision = '', release = '', left = ''] = head.split('\t');
  // The last line is empty, or the file was cut short.
  if (magic !== magicWord || lines.pop() !== '') return undefined;
  const paths = new Map<string, { stamp: string; id: string }>();
  for (const line of lines) {
    const [stamp, id, path] = line.split('\t');
    if (stamp === undefined || id === undefined || path === undefined) return undefined;
    paths.set(path, { stamp, id });
  }
  return { deployment, revision, release, left, paths };
}

/** Replaces the cache. */
export async function writeStatCache(
  files: FileSystem,
  folder: string,
  { deployment, revision, release, left, paths }: StatCache,
): Promise<void> {
  const lines = [`${[magicWord, deployment, revision, release, left].join('\t')}\n`];
  for (const [path, { stamp, id }] of paths) lines.push(`${stamp}\t${id}\t${path}\n`);
  await replaceFile(files, cacheFile(folder), Buffer.from(lines.join('')), 0o600);
}

/**
 * What changes whenever the entry itself does. A folder's own times are not part of it: what is in it has stamps
 * of its own.
 */
export function stampOf(entry: EtcEntry): string {
  const { kind, mode, uid, gid } = entry;
  const common = `${kind} ${mode} ${uid} ${gid}`;
  if (kind === 'file') return `${common} ${entry.size} ${entry.inode} ${entry.ctime}`;
  return kind === 'symlink' ? `${common} ${entry.inode} ${entry.ctime}` : common;
}

/** The text of a path in the cache, which is one line for each. */
export function cacheKey(path: string): string {
  return JSON.stringify(path);
}

function cacheFile(folder: string): string {
  return `${folder}/pine-stat-cache`;
}
