import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises';
import type { PromiseFsClient } from 'isomorphic-git';
import type { GitFolders } from './git-folders.ts';

/** isomorphic-git reads files whole, packs too: beyond this it is not let (S9). Bytes. */
const largestFile = 256 * 1024 * 1024;
/** Every object of a pack's index becomes an entry of a map, several times its size. */
const largestPackIndex = 32 * 1024 * 1024;

/** What a linked work tree has in common with the others; HEAD and the index are its own. */
const shared = /^\/(objects|refs|packed-refs|config|info|shallow)(\/|$)/;

/** A git repository for isomorphic-git: to be read only, within bounds, with linked work trees. */
export function gitFileSystem({ gitFolder, common }: GitFolders): PromiseFsClient {
  const place = (path: string): string => {
    const inside = path.startsWith(`${gitFolder}/`) ? path.slice(gitFolder.length) : '';
    return shared.test(inside) ? common + inside : path;
  };
  const refuse = async (): Promise<never> => {
    throw new Error('a recipe is read, never written');
  };
  return {
    promises: {
      async readFile(path: string, options?: unknown) {
        const { size } = await stat(place(path));
        const limit = path.endsWith('.idx') ? largestPackIndex : largestFile;
        if (size > limit) throw new Error(`${path} is larger than ${limit} bytes`);
        return readFile(place(path), options as BufferEncoding);
      },
      async readdir(path: string) {
        const names = await readdir(place(path));
        // isomorphic-git takes it for a slash, and would look at another file.
        const odd = names.find((name) => name.includes('\\'));
        if (odd !== undefined) throw new Error(`${path} has a name with a backslash`);
        return names;
      },
      stat: (path: string) => stat(place(path)),
      lstat: (path: string) => lstat(place(path)),
      readlink: (path: string) => readlink(place(path), 'buffer'),
      writeFile: refuse,
      mkdir: refuse,
      rmdir: refuse,
      unlink: refuse,
      symlink: refuse,
    },
  };
}
