import { type Field, layoutError, parseFields, parseSize } from './layout-line.ts';
import { checkLayout } from './layout-rules.ts';

/** What a partition is for. In `layout.cfg` it is the partition's name. */
export const roles = ['bios-grub', 'esp', 'boot', 'root-a', 'root-b', 'swap', 'data'] as const;
export type Role = (typeof roles)[number];

/** A partition as a layout asks for it. Positions and sizes are bytes. */
export interface LayoutPartition {
  readonly role: Role;
  /** Its number in the table, from 1. */
  readonly number: number;
  readonly start: number;
  /** `undefined`: the rest of the disk (`data` only). */
  readonly size: number | undefined;
  /** The GPT type, an upper-case UUID. */
  readonly type: string;
  readonly uuid: string | undefined;
  /** The line in the layout, from 1, for messages. */
  readonly line: number;
}

/** A checked `layout.cfg`. */
export interface Layout {
  /** The file's name, for messages. */
  readonly name: string;
  readonly diskUuid: string | undefined;
  readonly partitions: readonly LayoutPartition[];
  /** Size of each of the two slots in bytes, the trailer included. */
  readonly slotSize: number;
}

const mebibyte = 1 << 20;
const linuxType = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';

/** sfdisk's short names of partition types, as far as a layout needs them. */
const typeNames: Readonly<Record<string, string>> = {
  U: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  UEFI: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  S: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
  SWAP: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
  L: linuxType,
  LINUX: linuxType,
};

/**
 * Parses and checks a `layout.cfg`: the part of sfdisk's script format that docs/layouts.md names.
 *
 * Throws INPUT_LAYOUT, with the line, for whatever can't become a disk that pine deploys to.
 */
export function parseLayout(text: string, name: string): Layout {
  const partitions: LayoutPartition[] = [];
  let labelled = false;
  let diskUuid: string | undefined;
  let next = mebibyte;
  for (const [index, raw] of text.split('\n').entries()) {
    const where = { name, line: index + 1 };
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const header = /^([a-z-]+)\s*:\s*([^=]*)$/.exec(line);
    if (header?.[1] !== undefined) {
      const value = (header[2] ?? '').trim();
      checkHeader(header[1], value, where);
      if (header[1] === 'label') labelled = true;
      if (header[1] === 'label-id') diskUuid = parseUuid(value, where);
      continue;
    }
    const partition = parsePartition(line, partitions, next, where);
    partitions.push(partition);
    const end = partition.start + (partition.size ?? 0);
    next = Math.ceil(end / mebibyte) * mebibyte;
  }
  return checkLayout({ name, labelled, diskUuid, partitions });
}

function checkHeader(key: string, value: string, where: { name: string; line: number }): void {
  const allowed: Readonly<Record<string, RegExp>> = {
    label: /^gpt$/,
    'label-id': /./,
    unit: /^sectors$/,
    'sector-size': /^512$/,
    'first-lba': /^(34|2048)$/,
    device: /./,
  };
  const pattern = allowed[key];
  if (pattern === undefined) {
    throw layoutError(where, `one of the headers ${Object.keys(allowed).join(', ')}`, `${key}:`);
  }
  if (!pattern.test(value)) {
    const expected = { label: 'gpt', unit: 'sectors', 'sector-size': '512' }[key] ?? '34 or 2048';
    throw layoutError(where, `${key}: ${expected}`, `${key}: ${value}`);
  }
}

function parsePartition(
  line: string,
  before: readonly LayoutPartition[],
  next: number,
  where: { name: string; line: number },
): LayoutPartition {
  const number = before.length + 1;
  const device = /^\S*?(\d+)\s*:\s*(?=\S)/.exec(line);
  if (device?.[1] !== undefined && Number(device[1]) !== number) {
    throw layoutError(where, `partition ${number} here, without gaps`, `${device[0].trim()}`);
  }
  const fields = parseFields(device === null ? line : line.slice(device[0].length), where);
  const role = parseRole(fields.get('name'), where);
  const size = fields.get('size');
  const start = fields.get('start');
  const uuid = fields.get('uuid');
  return {
    role,
    number,
    start: start === undefined ? next : parseSize('start', start, where),
    size: size === undefined || size === '+' ? undefined : parseSize('size', size, where),
    type: parseType(fields.get('type'), where),
    uuid: uuid === undefined ? undefined : parseUuid(uuid, where),
    line: where.line,
  };
}

function parseRole(name: Field, where: { name: string; line: number }): Role {
  const role = roles.find((known) => known === name);
  if (role !== undefined) return role;
  throw layoutError(
    where,
    `a partition with name= one of ${roles.join(', ')}`,
    name === undefined ? 'no name=' : `name="${name}"`,
  );
}

function parseType(type: Field, where: { name: string; line: number }): string {
  if (type === undefined) return linuxType;
  return typeNames[type.toUpperCase()] ?? parseUuid(type, where);
}

function parseUuid(text: string, where: { name: string; line: number }): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toUpperCase();
  throw layoutError(where, 'a UUID, as 21686148-6449-6E6F-744E-656564454649', text);
}
