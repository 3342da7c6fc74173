/** The value that one side changed; what both changed alike counts once. `conflict` keeps the local one. */
export interface Chosen<T> {
  readonly value: T;
  /** Both sides have changed it, each to something else. */
  readonly conflict: boolean;
}

/** Merges one value that can't be taken apart. */
export function chooseValue<T>(
  base: T,
  next: T,
  local: T,
  same: (a: T, b: T) => boolean = Object.is,
): Chosen<T> {
  if (same(local, base)) return { value: next, conflict: false };
  return { value: local, conflict: !same(next, base) && !same(next, local) };
}

/** Merges a set: what each side added comes in, what each side took out is gone. Local order first. */
export function mergeSets<T>(
  base: Iterable<T>,
  next: Iterable<T>,
  local: Iterable<T>,
): readonly T[] {
  const [before, after] = [new Set(base), new Set(next)];
  const here = new Set(local);
  const kept = [...here].filter((item) => after.has(item) || !before.has(item));
  const added = [...after].filter((item) => !before.has(item) && !here.has(item));
  return [...kept, ...added];
}
