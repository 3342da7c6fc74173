import { join } from 'node:path/posix';
import { PineError } from '../../error.ts';
import { replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import { machineListFile, readKept } from './kept-paths.ts';
import { mountTableLimit, parseMounts } from './mount-table.ts';
import { isWithin, stateListLimit, withPath } from './state-list.ts';

/**
 * Lists a path as one that stays, from the next boot on: the initramfs then copies what the image has there, once.
 * Throws INPUT_STATE_PATH, NOT_FOUND_FOLDER, or STATE_MOUNTED when something else is mounted there.
 */
export async function addKeptPath(machine: Machine, path: string): Promise<void> {
  const { files, root = '/' } = machine;
  const kept = await readKept(machine);
  const file = machineListFile(machine);
  const text = (await files.readFile(file, stateListLimit))?.toString('latin1') ?? '';
  const ofImage = kept.paths.filter(({ listedBy }) => listedBy === 'image');
  const changed = withPath(
    text,
    path,
    ofImage.map((each) => each.path),
  );
  await checkFolder(machine, join(root, path), path);
  const table = await files.readFile('/proc/mounts', mountTableLimit);
  const mount = parseMounts(table?.toString('latin1') ?? '').find(({ place }) =>
    isWithin(place, path),
  );
  if (mount !== undefined) {
    // What lies there is not the image's: the initramfs would not bring it along.
    throw new PineError('STATE_MOUNTED', 'something is mounted there', {
      expected: 'a folder of the image',
      found: `${mount.type} at ${mount.place}`,
      where: path,
      remedy: `save what is in it, unmount it, and run \`pinectl state add ${path}\` again`,
    });
  }
  await replaceFile(files, file, Buffer.from(changed, 'latin1'));
}

/** The root is read-only: a folder that the image lacks has no place to be. */
async function checkFolder({ files }: Machine, folder: string, path: string): Promise<void> {
  const parts = folder.split('/').slice(1);
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const place = `/${parts.slice(0, depth).join('/')}`;
    const status = await files.status(place);
    if (status?.kind === 'directory') continue;
    throw new PineError('NOT_FOUND_FOLDER', 'the image has no such folder', {
      expected: 'a folder, which no link leads to',
      found: status === undefined ? 'nothing' : `a ${status.kind} at ${place}`,
      where: path,
      remedy: 'add the folder to the tree that is committed, or choose one that is there',
    });
  }
}
