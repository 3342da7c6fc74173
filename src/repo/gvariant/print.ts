import type { Value, Variant } from './variant.ts';

/** A variant in GVariant's text format, as `ostree show --print-metadata-key` prints it. */
export function printVariant({ type, value }: Variant): string {
  return print(type, value, true);
}

const annotations: Readonly<Record<string, string>> = {
  y: 'byte ',
  n: 'int16 ',
  q: 'uint16 ',
  u: 'uint32 ',
  x: 'int64 ',
  t: 'uint64 ',
  h: 'handle ',
  o: 'objectpath ',
  g: 'signature ',
};

/** `annotate`: whether the text must tell the type; only the first element of an array does. */
function print(type: string, value: Value, annotate: boolean): string {
  const prefix = annotate ? (annotations[type] ?? '') : '';
  if (value instanceof Uint8Array) {
    // What ends in its only NUL is shown as text.
    if (value.indexOf(0) === value.length - 1 && value.length > 0) {
      return quoteBytes(value.subarray(0, -1));
    }
    const body = [...value].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', ');
    if (value.length === 0) return annotate ? '@ay []' : '[]';
    return `[${annotate ? 'byte ' : ''}${body}]`;
  }
  if (Array.isArray(value)) return printList(type, value, annotate);
  if (value === null) return annotate ? `@${type} nothing` : 'nothing';
  if (typeof value === 'object') return `<${printVariant(value as Variant)}>`;
  if (typeof value === 'string') return prefix + quote(value);
  if (type === 'y') return `${prefix}0x${Number(value).toString(16).padStart(2, '0')}`;
  if (type === 'd' && Number.isInteger(value)) return `${String(value)}.0`;
  if (type.startsWith('m')) return print(type.slice(1), value, annotate);
  return prefix + String(value);
}

function printList(type: string, values: readonly Value[], annotate: boolean): string {
  if (type.startsWith('m')) return print(type.slice(1), values, annotate);
  if (type.startsWith('a')) {
    if (values.length === 0) return annotate ? `@${type} ${type[1] === '{' ? '{}' : '[]'}` : '[]';
    const element = type.slice(1);
    const items = values.map((value, index) => print(element, value, annotate && index === 0));
    return element.startsWith('{') ? `{${items.join(', ')}}` : `[${items.join(', ')}]`;
  }
  const members = splitTypes(type.slice(1, -1));
  const items = values.map((value, index) => print(members[index] ?? 'v', value, annotate));
  if (type.startsWith('{')) return items.join(': ');
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

function splitTypes(types: string): string[] {
  const found: string[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at < types.length; at += 1) {
    const letter = types[at] ?? '';
    if ('({'.includes(letter)) depth += 1;
    if (')}'.includes(letter)) depth -= 1;
    if (depth > 0 || letter === 'a' || letter === 'm') continue;
    found.push(types.slice(start, at + 1));
    start = at + 1;
  }
  return found;
}

const letterEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function quote(text: string): string {
  const mark = text.includes("'") ? '"' : "'";
  const body = text.replace(/[\\'"]|[\p{C}\p{Zl}\p{Zp}]/gu, (letter) => {
    if (letter === '\\' || letter === mark) return `\\${letter}`;
    if (letter === "'" || letter === '"') return letter;
    const code = letter.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    const long = code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
    return letterEscapes[letter] ?? long;
  });
  return `${mark}${body}${mark}`;
}

function quoteBytes(bytes: Uint8Array): string {
  const mark = bytes.includes(0x27) ? '"' : "'";
  const text = Buffer.from(bytes).toString('latin1');
  const body = text.replace(/[\\"]|[^ -~]/g, (letter) => {
    if (letter === '\\' || letter === '"') return `\\${letter}`;
    if (letter !== '\x07' && letterEscapes[letter] !== undefined) return letterEscapes[letter];
    return `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  return `b${mark}${body}${mark}`;
}
