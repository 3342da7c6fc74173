import { dirname } from 'node:path/posix';
import type { FileStatus, FileSystem } from '../ports/file-system.ts';
import { removeDurably } from './durable-file.ts';

/** Bytes that are read and written at a time (S9). */
const pieceSize = 256 * 1024;

/**
 * Copies the /etc of one deployment to another, whole or not at all: to a temporary name first, which is made
 * durable and then renamed (S6, S7). An older copy at `to` is replaced: it belonged to a run that was cut.
 *
 * Kept are kinds, contents, modes, owners, links and times; not kept are extended attributes, ACLs and which
 * names are hard links of each other. Returns what was left out (sockets, fifos, devices), by path.
 */
export async function copyEtc(files: FileSystem, from: string, to: string): Promise<string[]> {
  const temporary = `${to}.new`;
  const left: string[] = [];
  await files.makeFolder(dirname(to), 0o755);
  await files.remove(temporary);
  await copyFolder(files, from, temporary, left);
  await files.syncAll(temporary); // S6: contents and names, before the name that counts
  await removeDurably(files, to);
  await files.rename(temporary, to);
  await files.sync(dirname(to));
  return left;
}

async function copyFolder(
  files: FileSystem,
  from: string,
  to: string,
  left: string[],
): Promise<void> {
  const status = await files.status(from);
  await files.makeFolder(to, 0o700);
  for (const name of (await files.readFolder(from)) ?? []) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const entry = await files.status(source);
    if (entry === undefined) continue; // removed meanwhile
    if (entry.kind === 'other') left.push(source);
    else if (entry.kind === 'directory') await copyFolder(files, source, target, left);
    else if (entry.kind === 'symlink') await copyLink(files, source, target, entry);
    else await copyFile(files, source, target, entry);
  }
  if (status !== undefined) await keepStatus(files, to, status);
}

async function copyLink(files: FileSystem, from: string, to: string, status: FileStatus) {
  await files.makeLink(await files.readLink(from), to);
  await files.setOwner(to, status.uid, status.gid);
  await files.setTime(to, status.mtime);
}

async function copyFile(files: FileSystem, from: string, to: string, status: FileStatus) {
  // Secrets (shadow, host keys) must not be readable by others while they are copied.
  await files.writeFile(to, new Uint8Array(), 0o600);
  for (let position = 0; ; position += pieceSize) {
    const piece = await files.readAt(from, position, pieceSize);
    if (piece.length > 0) await files.appendFile(to, piece, 0o600);
    if (piece.length < pieceSize) break;
  }
  await keepStatus(files, to, status);
}

/** The owner first: changing it clears the set-user-id bit. */
async function keepStatus(files: FileSystem, path: string, status: FileStatus) {
  await files.setOwner(path, status.uid, status.gid);
  await files.setMode(path, status.mode & 0o7777);
  await files.setTime(path, status.mtime);
}

/** Bytes that a copy of a folder takes, each file rounded up to blocks of 4 KiB (S10). */
export async function measureFolder(files: FileSystem, path: string): Promise<number> {
  let bytes = 4096;
  for (const name of (await files.readFolder(path)) ?? []) {
    const entry = await files.status(`${path}/${name}`);
    if (entry?.kind === 'directory') bytes += await measureFolder(files, `${path}/${name}`);
    else if (entry !== undefined) bytes += Math.ceil((entry.size + 1) / 4096) * 4096;
  }
  return bytes;
}
