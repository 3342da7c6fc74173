import { PineError } from '../error.ts';

export type Field = string | undefined;

/** Where in a layout something is wrong. */
export interface LayoutPosition {
  readonly name: string;
  readonly line: number;
}

/** The error that every wrong layout ends in. */
export function layoutError(where: LayoutPosition, expected: string, found: string): PineError {
  return new PineError('INPUT_LAYOUT', 'the layout can not be used', {
    expected,
    found,
    where: `${where.name}, line ${where.line}`,
    remedy: 'correct the layout (docs/layouts.md); `sfdisk --no-act` checks its syntax',
  });
}

const known = ['name', 'start', 'size', 'type', 'uuid'];

/** Splits `name="boot", size=16MiB` into its fields. Source: sfdisk(8), "named-fields format". */
export function parseFields(text: string, where: LayoutPosition): Map<string, string> {
  const fields = new Map<string, string>();
  const pattern = /\s*([a-z-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))\s*(?:,|$)/y;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match?.[1] === undefined) {
      throw layoutError(where, 'fields as in name="boot", size=16MiB', text.slice(at).trim());
    }
    if (!known.includes(match[1])) {
      throw layoutError(where, `one of the fields ${known.join(', ')}`, `${match[1]}=`);
    }
    if (fields.has(match[1])) throw layoutError(where, `${match[1]}= once`, 'a second one');
    fields.set(match[1], match[2] ?? match[3] ?? '');
  }
  return fields;
}

const factors: Readonly<Record<string, number>> = { '': 512, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Reads a size or a position in bytes: sectors of 512 bytes, or KiB, MiB, GiB (`iB` may be left out). */
export function parseSize(field: string, text: string, where: LayoutPosition): number {
  const match = /^(\d{1,15})(?:([KMG])(?:iB)?)?$/.exec(text);
  const bytes = Number(match?.[1] ?? Number.NaN) * (factors[match?.[2] ?? ''] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) {
    throw layoutError(where, `${field}= in sectors, KiB, MiB or GiB`, `${field}=${text}`);
  }
  if (bytes % 4096 !== 0 || bytes === 0) {
    throw layoutError(where, `${field}= a multiple of 4 KiB`, `${field}=${text} (${bytes} bytes)`);
  }
  return bytes;
}
