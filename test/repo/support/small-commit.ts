import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitOptions } from '../../../src/build/commit-options.ts';
import { commitTree } from '../../../src/build/commit-tree.ts';
import { SourceTree } from '../../../src/build/source-tree.ts';
import { Repository } from '../../../src/repo/repository.ts';
import { quick } from './quick.ts';

export const timestamp = 1_700_000_000;

/** A tree in memory: two files, a link, a directory. */
export function smallTree(text = 'hello'): SourceTree {
  const tree = SourceTree.empty();
  tree.putFile('/etc/motd', Buffer.from(text), { mode: 0o644 });
  tree.putFile('/usr/bin/tool', Buffer.alloc(100_000, 'tool'), { mode: 0o4755 });
  tree.putLink('/bin', 'usr/bin');
  return tree;
}

/** The same on disk. */
export function smallFolder(folder: string): string {
  mkdirSync(join(folder, 'etc'), { recursive: true });
  writeFileSync(join(folder, 'etc/motd'), 'hello');
  symlinkSync('motd', join(folder, 'etc/link'));
  return folder;
}

/** A repository with one commit of `smallTree` on the ref `test/small`. */
export async function smallRepository(
  path: string,
  options: Partial<CommitOptions> = {},
): Promise<{ repository: Repository; commit: string }> {
  const repository = await Repository.init(path, quick);
  const all = { ref: 'test/small', timestamp, image: true, ...options };
  const { commit } = await commitTree(repository, smallTree(), all);
  return { repository, commit };
}
