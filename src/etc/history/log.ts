import { readRecordedFolder } from './recorded-folder.ts';
import type { HistoryRepository, Revision } from './repository.ts';

/** The revisions from one on, newest first, that changed a path or something below it; all of them for the root. */
export async function* changesOf(
  repository: HistoryRepository,
  from: string,
  path: string,
): AsyncGenerator<Revision> {
  let held: { readonly revision: Revision; readonly state: string } | undefined;
  for await (const revision of repository.history(from)) {
    if (path === '') {
      yield revision;
      continue;
    }
    const state = await stateAt(repository, revision.tree, path);
    if (held !== undefined && held.state !== state) yield held.revision;
    held = { revision, state };
  }
  if (held !== undefined && held.state !== absent) yield held.revision;
}

const absent = '';

/** What tells whether a path is the same in two trees: its attributes and the id of its content. */
async function stateAt(repository: HistoryRepository, tree: string, path: string): Promise<string> {
  let folder: string | undefined = tree;
  let state = absent;
  for (const part of path.split('/')) {
    if (folder === undefined) return absent;
    const { names } = await readRecordedFolder(repository, folder);
    const found = names.find(({ name }) => name === part);
    if (found === undefined) return absent;
    state = JSON.stringify(found);
    folder = found.tree;
  }
  return state;
}
