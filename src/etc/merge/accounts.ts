import { chooseValue, mergeSets } from './three-way.ts';

/** The files that hold accounts; each is merged by entry. */
export type AccountFile = 'passwd' | 'group' | 'shadow' | 'gshadow';

/** How a field of an entry is merged. */
type Field =
  /** An id: the local one stays, since files on the data partition belong to it. */
  | 'id'
  /** What a person set here stays, and it is no conflict: a password, its dates. */
  | 'own'
  /** A comma-separated list, merged as a set. */
  | 'list'
  | 'plain';

const fields: Readonly<Record<AccountFile, readonly Field[]>> = {
  passwd: ['plain', 'own', 'id', 'id', 'plain', 'plain', 'plain'],
  group: ['plain', 'own', 'id', 'list'],
  shadow: ['plain', 'own', 'own', 'own', 'own', 'own', 'own', 'own', 'own'],
  gshadow: ['plain', 'own', 'list', 'list'],
};
const fieldNames: Readonly<Record<AccountFile, readonly string[]>> = {
  passwd: ['name', 'password', 'uid', 'gid', 'description', 'home', 'shell'],
  group: ['name', 'password', 'gid', 'members'],
  shadow: [],
  gshadow: [],
};

export interface AccountsMerged {
  readonly text: string;
  /** What a person has to decide, in words; the local side was kept. */
  readonly conflicts: readonly string[];
  /** New names of the release that were not taken in, so that their passwords are not either. */
  readonly refused: readonly string[];
}

type Line = { readonly text: string; readonly entry: readonly string[] | undefined };

/**
 * Merges an account file by entry. New accounts come in; local ones, ids, passwords and memberships stay. A line that
 * is no entry stays where it is. Names in `refused` (of passwd for shadow, of group for gshadow) are not taken in.
 */
export function mergeAccounts(
  file: AccountFile,
  base: string,
  next: string,
  local: string,
  refused: readonly string[] = [],
): AccountsMerged {
  const [before, after] = [entriesOf(file, base), entriesOf(file, next)];
  const lines = parseLines(file, local);
  const here = entriesOf(file, local);
  const conflicts: string[] = [];
  const merged: string[] = [];
  const seen = new Set<string>();
  for (const { text, entry } of lines) {
    const name = entry?.[0] ?? '';
    if (entry === undefined || seen.has(name)) {
      merged.push(text); // no entry, or a second one of the same name: it stays as it is
      continue;
    }
    seen.add(name);
    const [old, released] = [before.get(name), after.get(name)];
    if (released !== undefined) {
      merged.push(mergeEntry(file, old, released, entry, conflicts).join(':'));
    } else if (old === undefined || old.join(':') !== text) {
      merged.push(text);
    }
  }
  const left: string[] = [];
  for (const [name, entry] of after) {
    if (here.has(name) || before.has(name)) continue; // removed here: it stays so
    const clash = refused.includes(name) ? undefined : idClash(file, entry, here, after);
    if (clash !== undefined) conflicts.push(clash);
    if (clash === undefined && !refused.includes(name)) merged.push(entry.join(':'));
    else left.push(name);
  }
  const known = new Set([base, local].flatMap((text) => text.split('\n')));
  for (const { text, entry } of parseLines(file, next)) {
    if (entry === undefined && !known.has(text)) {
      conflicts.push(`a line of the release is no entry: ${JSON.stringify(text.slice(0, 80))}`);
    }
  }
  return { text: merged.map((line) => `${line}\n`).join(''), conflicts, refused: left };
}

function mergeEntry(
  file: AccountFile,
  base: readonly string[] | undefined,
  next: readonly string[],
  local: readonly string[],
  conflicts: string[],
): readonly string[] {
  return local.map((here, index) => {
    const released = next[index] ?? '';
    const before = base?.[index];
    const name = fieldNames[file][index] ?? '';
    const tell = () =>
      conflicts.push(`${local[0]} has ${name} ${here} here and ${released} in the release`);
    switch (fields[file][index]) {
      case 'id':
        if (here !== released && before !== released) tell();
        return here;
      case 'list':
        return mergeSets(list(before ?? ''), list(released), list(here)).join(',');
      case 'own':
        return before === undefined ? here : chooseValue(before, released, here).value;
      default: {
        const { value, conflict } = chooseValue(before ?? '', released, here);
        if (conflict) tell();
        return value;
      }
    }
  });
}

/** Who else has the id of a new account, unless the release itself shares it between the two. */
function idClash(
  file: AccountFile,
  entry: readonly string[],
  here: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const index = fields[file].indexOf('id');
  if (index < 0) return undefined;
  const id = entry[index];
  const holder = [...here].find(
    ([name, other]) => other[index] === id && after.get(name)?.[index] !== id,
  );
  return (
    holder && `${entry[0]} of the release wants ${fieldNames[file][index]} ${id} of ${holder[0]}`
  );
}

function entriesOf(file: AccountFile, text: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { entry } of parseLines(file, text)) {
    const name = entry?.[0];
    if (entry !== undefined && name !== undefined && !found.has(name)) found.set(name, entry);
  }
  return found;
}

function parseLines(file: AccountFile, text: string): readonly Line[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => ({ text: line, entry: parseEntry(file, line) }));
}

/** The fields of an entry; `undefined` for a line that is none. */
function parseEntry(file: AccountFile, line: string): readonly string[] | undefined {
  const parts = line.split(':');
  const kinds = fields[file];
  const isEntry =
    parts.length === kinds.length &&
    /^[^\s#+-][^\s]*$/.test(parts[0] ?? '') &&
    kinds.every((kind, index) => kind !== 'id' || /^[0-9]{1,10}$/.test(parts[index] ?? ''));
  return isEntry ? parts : undefined;
}

function list(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '');
}
