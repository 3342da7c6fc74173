import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import git from 'isomorphic-git';
import { damaged, readingGit } from './damaged.ts';
import { type GitFileSystem, gitFileLimit } from './git-file-system.ts';

/** An object of git: its content without the header. */
export interface GitObject {
  readonly type: string;
  readonly content: Buffer;
}

/**
 * Stores an object, and gives its name. Objects are many, and most are there already. node:zlib gives its memory back at
 * once, where isomorphic-git's streams keep a quarter of a megabyte each until the garbage is collected (S9).
 */
export async function writeObject(
  fs: GitFileSystem,
  type: 'blob' | 'tree' | 'commit',
  content: Uint8Array,
): Promise<string> {
  const wrapped = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const id = createHash('sha1').update(wrapped).digest('hex');
  if (!(await fs.hasObject(id))) await fs.addObject(id, deflateSync(wrapped));
  return id;
}

/** Reads an object, and checks it by its name. Throws CORRUPT_ETC_HISTORY. */
export function readObject(
  place: { readonly fs: GitFileSystem; readonly gitdir: string },
  id: string,
): Promise<GitObject> {
  return readingGit(id, async () => {
    const found = await git.readObject({ ...place, oid: id, format: 'deflated' });
    // One that somebody has packed comes unpacked and checked.
    if (found.format === 'content') {
      return { type: found.type, content: Buffer.from(found.object) };
    }
    // The empty tree is known to isomorphic-git, and comes unpacked.
    if (found.format !== 'deflated' && found.format !== 'wrapped') {
      throw damaged(`the format ${found.format}`, id);
    }
    const wrapped =
      found.format === 'deflated'
        ? inflateSync(found.object, { maxOutputLength: gitFileLimit })
        : Buffer.from(found.object);
    const sha1 = createHash('sha1').update(wrapped).digest('hex');
    const [, type] = /^([a-z]+) [0-9]+\0/.exec(wrapped.toString('latin1', 0, 32)) ?? [];
    if (sha1 !== id || type === undefined) throw damaged(`an object named ${sha1}`, id);
    return { type, content: wrapped.subarray(wrapped.indexOf(0) + 1) };
  });
}
