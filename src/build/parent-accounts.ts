import { readFileContent, readFileHeader } from '../repo/file-object.ts';
import { findInCommit } from '../repo/find-in-commit.ts';
import type { Repository } from '../repo/repository.ts';
import { type AccountFiles, checkIds } from './bootable/account-ids.ts';
import type { SourceTree } from './source-tree.ts';

const largestAccountFile = 1024 * 1024;

/** Refuses accounts whose numbers differ from the parent commit's. Throws INPUT_ID_CHANGED. */
export async function checkParentAccounts(
  repository: Repository,
  parent: string,
  tree: SourceTree,
  allowed: boolean,
): Promise<void> {
  const now: AccountFiles = {
    passwd: await readFromTree(tree, '/etc/passwd'),
    group: await readFromTree(tree, '/etc/group'),
  };
  const before: AccountFiles = {
    passwd: await readFromCommit(repository, parent, '/etc/passwd'),
    group: await readFromCommit(repository, parent, '/etc/group'),
  };
  checkIds(before, now, allowed);
}

async function readFromTree(tree: SourceTree, path: string): Promise<string> {
  if (tree.resolve(path)?.node.kind !== 'file') return '';
  return (await tree.readFile(path, largestAccountFile)).toString();
}

async function readFromCommit(
  repository: Repository,
  commit: string,
  path: string,
): Promise<string> {
  const found = await findInCommit(repository, commit, path);
  if (found?.kind !== 'file') return '';
  if (readFileHeader(repository, found.checksum).size > largestAccountFile) return '';
  const pieces: Uint8Array[] = [];
  for await (const piece of readFileContent(repository, found.checksum)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
