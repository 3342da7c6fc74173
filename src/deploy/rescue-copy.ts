import { basename } from 'node:path/posix';
import type { FileSystem } from '../ports/file-system.ts';
import type { Machine } from './machine.ts';
import { tarEnd, tarFile } from './tar.ts';

/** What of /etc makes a machine reachable: network, name, host keys. Accounts are the image's own. */
const etcNames = ['network', 'hostname', 'hosts', 'resolv.conf', 'ssh'];

/** Half a megabyte of primes of sshd that nobody edits: the image has its own. */
const dispensable = 'etc/ssh/moduli';

/** What the boot partition has room for, in bytes of tar. */
const limit = 120 * 1024;
const largestFile = 64 * 1024;

/**
 * Keeps a copy of what a machine needs to be reached when its data partition is lost (S11). Nothing is
 * written when it is the same as the one that is there. Returns the paths that had no room.
 */
export async function writeRescueCopy(
  machine: Pick<Machine, 'files' | 'etc' | 'homes' | 'rescue'>,
): Promise<readonly string[]> {
  if (machine.rescue === undefined) return [];
  const { files, etc, homes } = machine;
  const pieces: Buffer[] = [];
  const left: string[] = [];
  let size = tarEnd.length;
  const add = async (path: string, name: string): Promise<void> => {
    const status = await files.status(path);
    if (status?.kind === 'directory') {
      for (const entry of (await files.readFolder(path)) ?? []) {
        await add(`${path}/${entry}`, `${name}/${entry}`);
      }
    }
    if (status?.kind !== 'file' || name === dispensable) return;
    const bytes = status.size > largestFile ? undefined : await readWhole(files, path);
    const piece = bytes === undefined ? undefined : tarFile(name, bytes, status);
    if (piece === undefined || size + piece.length > limit) {
      left.push(path);
      return;
    }
    pieces.push(piece);
    size += piece.length;
  };
  for (const [path, name] of await keyFiles(files, homes)) await add(path, name);
  for (const name of etcNames) await add(`${etc}/${name}`, `etc/${name}`);
  const tar = Buffer.concat([...pieces, tarEnd]);
  const present = await machine.rescue.readRescue();
  if (present === undefined || !present.equals(tar)) await machine.rescue.writeRescue(tar);
  return left;
}

/** The authorized keys of root and of every user, first, since they matter most. */
async function keyFiles(files: FileSystem, homes: Machine['homes']) {
  const found: (readonly [path: string, name: string])[] = [
    [`${homes.root}/.ssh/authorized_keys`, 'root/.ssh/authorized_keys'],
  ];
  for (const user of (await files.readFolder(homes.users)) ?? []) {
    const name = `${basename(user)}/.ssh/authorized_keys`;
    found.push([`${homes.users}/${name}`, `home/${name}`]);
  }
  return found;
}

async function readWhole(files: FileSystem, path: string): Promise<Buffer | undefined> {
  const bytes = await files.readAt(path, 0, largestFile + 1);
  return bytes.length > largestFile ? undefined : bytes;
}
