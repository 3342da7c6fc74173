import { compareBytes } from '../../repo/tree.ts';

/**
 * The index that `depmod` writes as `modules.dep.bin`, and kmod reads: a tree of the letters of modules'
 * names. Numbers are big-endian. It begins with a magic number, the version, and where the root is.
 * A node: what its names share beyond the letter that led to it (ends in a zero), first and last
 * letter that go on and where each goes (0: nowhere), number of values and for each its place in the list
 * and its text (ends in a zero). Where a node is has flags for the parts that it has. Children
 * stand before their parents. Source: kmod, libkmod-index; the bytes of `depmod`.
 */
const magic = 0xb007f457;
const version = 0x00020001;
const hasPrefix = 0x80000000;
const hasValues = 0x40000000;
const hasChildren = 0x20000000;

/** A name, the text that belongs to it, and its place in the list. */
interface Entry {
  readonly name: string;
  readonly text: string;
  readonly place: number;
}

/** Encodes names, in ASCII without a zero, and their texts. The same list gives the bytes of `depmod`. */
export function encodeModuleIndex(
  list: readonly (readonly [name: string, text: string])[],
): Buffer {
  const entries = list
    .map(([name, text], place) => ({ name, text, place }))
    .sort((a, b) => compareBytes(a.name, b.name) || a.place - b.place);
  const pieces: Buffer[] = [];
  let size = 12;
  const put = (bytes: Buffer): void => {
    pieces.push(bytes);
    size += bytes.length;
  };

  /** Writes what begins at letter `from` of the entries, which share all before it. */
  const node = (all: readonly Entry[], from: number, prefix: string): number => {
    const here = from + prefix.length;
    const own = all.filter(({ name }) => name.length === here);
    const groups = byLetter(all.slice(own.length), here);
    const letters = [...groups.keys()];
    const [first, last] = [letters[0] ?? 0, letters.at(-1) ?? 0];
    const children = Buffer.alloc(letters.length === 0 ? 0 : 2 + 4 * (last - first + 1));
    for (const [letter, group] of groups) {
      const child = node(group, here + 1, sharedPrefix(group, here + 1));
      children.writeUInt32BE(child, 2 + 4 * (letter - first));
    }
    const offset = size;
    if (prefix !== '') put(text(prefix));
    if (letters.length > 0) {
      children.writeUInt8(first, 0);
      children.writeUInt8(last, 1);
      put(children);
    }
    if (own.length > 0) {
      put(number(own.length));
      for (const entry of own) put(Buffer.concat([number(entry.place), text(entry.text)]));
    }
    const flags =
      (prefix === '' ? 0 : hasPrefix) +
      (own.length > 0 ? hasValues : 0) +
      (letters.length > 0 ? hasChildren : 0);
    return flags + offset;
  };

  const root = node(entries, 0, '');
  return Buffer.concat([number(magic), number(version), number(root), ...pieces]);
}

/** Entries by their letter at a place, in the order of the letters. */
function byLetter(entries: readonly Entry[], at: number): Map<number, Entry[]> {
  const groups = new Map<number, Entry[]>();
  for (const entry of entries) {
    const letter = entry.name.charCodeAt(at);
    const group = groups.get(letter) ?? [];
    group.push(entry);
    groups.set(letter, group);
  }
  return groups;
}

/** What sorted names have in common from a letter on: what the first and the last have. */
function sharedPrefix(entries: readonly Entry[], from: number): string {
  const [first, last] = [entries[0]?.name ?? '', entries.at(-1)?.name ?? ''];
  let end = from;
  while (end < first.length && first[end] === last[end]) end += 1;
  return first.slice(from, end);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'latin1');
}
