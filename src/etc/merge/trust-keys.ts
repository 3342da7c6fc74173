import { mergeSets } from './three-way.ts';

/** The key files of one side by name: `release.pub` is trusted, `stolen.revoked` is not, whoever else has it. */
export type KeyFiles = ReadonlyMap<string, Buffer>;

/** Where a merged key file comes from: `name` on the side `from`. */
export interface KeyChoice {
  readonly from: 'local' | 'next';
  readonly name: string;
}

export interface KeysMerged {
  /** What the merged folder holds, by name. */
  readonly files: ReadonlyMap<string, KeyChoice>;
  /** The release takes every key away; then those that are here stay. */
  readonly conflict?: string;
}

/**
 * Merges the keys that a machine trusts as a set. A revocation wins: a key that the release has taken away, or that
 * either side has in a `*.revoked` file, is no longer trusted under any name. Its file stays as `NAME.revoked`
 * where it was the administrator's own, so that nothing written here is lost.
 */
export function mergeTrustKeys(base: KeyFiles, next: KeyFiles, local: KeyFiles): KeysMerged {
  const [before, after, here] = [base, next, local].map((side) => keysOf(side, '.pub'));
  if (before === undefined || after === undefined || here === undefined)
    return { files: new Map() };
  const revoked = new Set([
    ...keysOf(next, '.revoked').keys(),
    ...keysOf(local, '.revoked').keys(),
  ]);
  for (const key of before.keys()) if (!after.has(key)) revoked.add(key);
  const keys = mergeSets(before.keys(), after.keys(), here.keys()).filter(
    (key) => !revoked.has(key),
  );
  const untouched = new Map([...local.keys()].map((name) => [name, choice('local', name)]));
  if (sameFiles(base, next)) return { files: untouched };
  const distrusted = keysOf(local, '.revoked');
  if (keys.length === 0 && [...here.keys()].some((key) => !distrusted.has(key))) {
    const conflict = 'the release revokes every key that this machine trusts';
    return { files: untouched, conflict };
  }
  if (sameFiles(base, local)) {
    return { files: new Map([...next.keys()].map((name) => [name, choice('next', name)])) };
  }
  const files = new Map<string, KeyChoice>();
  const add = (name: string, source: KeyChoice, end: '.pub' | '.revoked') => {
    files.set(freeName(files, name, end), source);
  };
  for (const [name, bytes] of local) {
    const key = keyOf(bytes);
    const isKept = !name.endsWith('.pub') || key === undefined || keys.includes(key);
    if (isKept) add(name, choice('local', name), endOf(name));
    else if (!isShipped(bytes, base)) {
      add(name.replace(/\.pub$/, '.revoked'), choice('local', name), '.revoked');
    }
  }
  for (const [name, bytes] of next) {
    const key = keyOf(bytes) ?? '';
    const isMissing = name.endsWith('.pub')
      ? keys.includes(key) && !here.has(key)
      : !local.get(name)?.equals(bytes);
    if (isMissing) add(name, choice('next', name), endOf(name));
  }
  return { files };
}

/** Whether the old release has just this file: then nothing of the administrator is lost with it. */
function isShipped(bytes: Buffer, base: KeyFiles): boolean {
  return [...base.values()].some((other) => other.equals(bytes));
}

function sameFiles(a: KeyFiles, b: KeyFiles): boolean {
  return a.size === b.size && [...a].every(([name, bytes]) => b.get(name)?.equals(bytes));
}

function choice(from: KeyChoice['from'], name: string): KeyChoice {
  return { from, name };
}

function endOf(name: string): '.pub' | '.revoked' {
  return name.endsWith('.pub') ? '.pub' : '.revoked';
}

/** The first of `a.pub`, `a.1.pub`, … that is free. */
function freeName(files: ReadonlyMap<string, KeyChoice>, name: string, end: string): string {
  const stem = name.slice(0, -end.length);
  let free = name;
  for (let count = 1; files.has(free); count += 1) free = `${stem}.${count}${end}`;
  return free;
}

/** The keys of a side, each with the first file that has it. */
function keysOf(side: KeyFiles, end: '.pub' | '.revoked'): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, bytes] of side) {
    const key = name.endsWith(end) ? keyOf(bytes) : undefined;
    if (key !== undefined && !found.has(key)) found.set(key, name);
  }
  return found;
}

/** The key in a file, without comments; `undefined` when there is not just one line. */
function keyOf(bytes: Buffer): string | undefined {
  const lines = bytes
    .toString('latin1')
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');
  return lines.length === 1 ? lines[0] : undefined;
}
