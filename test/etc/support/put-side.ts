import { dirname } from 'node:path/posix';
import type { Files } from '../../crash/world/files.ts';
import { attributesOf, contentOf, type Side } from './cases.ts';

/** Puts a side of a case into a file system in memory. */
export async function putSide(files: Files, path: string, side: Side | undefined): Promise<void> {
  if (side === undefined) return;
  await files.makeFolder(dirname(path), 0o755);
  const { mode, uid, gid } = attributesOf(side);
  const { link, folder, fifo, xattrs } = typeof side === 'string' ? {} : side;
  if (link !== undefined) return files.makeLink(link, path);
  if (fifo) return files.makeSpecial(path);
  if (folder === undefined) await files.writeFile(path, contentOf(side), mode);
  else {
    await files.makeFolder(path, 0o755);
    for (const [name, entry] of Object.entries(folder))
      await putSide(files, `${path}/${name}`, entry);
  }
  await files.setMode(path, mode);
  await files.setOwner(path, uid, gid);
  const list = Object.entries(xattrs ?? {})
    .sort()
    .map(([name, value]) => ({ name, value: Buffer.from(value) }));
  if (list.length > 0)
    await files.writeXattrs(dirname(path), [[path.slice(dirname(path).length + 1), list]]);
}
