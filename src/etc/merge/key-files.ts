import { keyFileLimit } from '../../trust/key-file.ts';
import type { Joined, Sides } from '../trees/join.ts';
import { readWhole } from '../trees/tree.ts';
import type { EtcEntry } from '../walk.ts';
import { type Clash, type Placed, placeEntry } from './decision.ts';
import { type KeyFiles, mergeTrustKeys } from './trust-keys.ts';

const folder = 'pine/keys/';

/** Merges the files of the keys that a machine trusts, all at once: they are a set. */
export async function mergeKeyFiles(
  sides: Sides,
  keys: readonly Joined[],
): Promise<{ readonly placed: readonly Placed[]; readonly clash?: Clash }> {
  const [base, next, local] = [
    await readKeys(sides, keys, 'base'),
    await readKeys(sides, keys, 'next'),
    await readKeys(sides, keys, 'local'),
  ];
  const { files, conflict } = mergeTrustKeys(base.files, next.files, local.files);
  const placed = [...local.others];
  for (const [name, choice] of files) {
    const entry = (choice.from === 'next' ? next : local).entries.get(choice.name);
    const file = placeEntry(entry, choice.from);
    if (file !== undefined) placed.push({ ...file, path: folder + name });
  }
  return conflict === undefined
    ? { placed }
    : { placed, clash: { reason: 'keys', detail: conflict } };
}

interface Keys {
  readonly files: KeyFiles;
  readonly entries: ReadonlyMap<string, EtcEntry>;
  /** Links and folders under such a name, and files too large for a key: they stay as they are. */
  readonly others: readonly Placed[];
}

async function readKeys(sides: Sides, keys: readonly Joined[], side: keyof Sides): Promise<Keys> {
  const files = new Map<string, Buffer>();
  const entries = new Map<string, EtcEntry>();
  const others: Placed[] = [];
  for (const joined of keys) {
    const entry = joined[side];
    if (entry === undefined) continue;
    const name = entry.path.slice(folder.length);
    const bytes =
      entry.kind === 'file' ? await readWhole(sides[side], entry, keyFileLimit) : undefined;
    if (bytes === undefined) {
      const placed = placeEntry(entry, 'local');
      if (placed !== undefined) others.push(placed);
      continue;
    }
    files.set(name, bytes);
    entries.set(name, entry);
  }
  return { files, entries, others };
}
