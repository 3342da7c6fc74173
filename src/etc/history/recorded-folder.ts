import { compareNames } from '../../ports/path-text.ts';
import type { GitEntry, HistoryRepository } from './repository.ts';
import { type Attributes, parseSidecar } from './sidecar.ts';
import { sidecarName } from './withheld.ts';

/** A name in a recorded folder. What is withheld has neither blob nor tree. */
export interface RecordedName {
  readonly name: string;
  readonly attributes: Attributes;
  readonly blob?: string;
  readonly tree?: string;
}

/** What is in a recorded folder, in the order of names by their bytes, and the attributes of the root if it is that. */
export async function readRecordedFolder(
  repository: HistoryRepository,
  tree: string,
): Promise<{ readonly names: readonly RecordedName[]; readonly root: Attributes }> {
  const entries = await repository.readTree(tree);
  const sidecar = entries.find(({ name }) => name === sidecarName);
  const kept = new Map(
    sidecar === undefined ? [] : parseSidecar(await repository.readBlob(sidecar.id), sidecar.id),
  );
  const root = kept.get('.') ?? standardAttributes('040000');
  kept.delete('.');
  const names: RecordedName[] = [];
  for (const { name, mode, id } of entries) {
    if (name === sidecarName) continue;
    const attributes = kept.get(name) ?? standardAttributes(mode);
    kept.delete(name);
    names.push({ name, attributes, ...(mode === '040000' ? { tree: id } : { blob: id }) });
  }
  for (const [name, attributes] of kept) names.push({ name, attributes });
  return { names: names.sort((a, b) => compareNames(a.name, b.name)), root };
}

function standardAttributes(mode: GitEntry['mode']): Attributes {
  const owner = { uid: 0, gid: 0, xattrs: [] };
  switch (mode) {
    case '040000':
      return { kind: 'directory', mode: 0o755, ...owner };
    case '120000':
      return { kind: 'symlink', mode: 0o777, ...owner };
    default:
      return { kind: 'file', mode: mode === '100755' ? 0o755 : 0o644, ...owner };
  }
}
