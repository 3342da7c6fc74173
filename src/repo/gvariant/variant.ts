import {
  boolean,
  bytes,
  double,
  int16,
  int32,
  int64,
  string,
  stringOfType,
  uint8,
  uint16,
  uint32,
  uint64,
} from './basic.ts';
import { type Codec, GVariantError } from './codec.ts';
import { array, entry, maybe, tuple } from './containers.ts';

/**
 * A value whose type is told beside it: y n q i u and d are numbers, x and t bigints, `ay` is bytes,
 * tuples, arrays and dictionary entries are arrays, an empty `m…` is null.
 */
export type Value =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | null
  | Variant
  | readonly Value[];

/** A value with its type: what `v` holds. */
export interface Variant {
  readonly type: string;
  readonly value: Value;
}

/** Entries of an `a{sv}`, in their order: it is part of what is hashed. */
export type Dictionary = readonly (readonly [string, Variant])[];

/** Bounds that nested and hostile types run into (S5). */
const deepest = 64;
const longestType = 255;

/** `v`: a value that brings its type along. */
export const variant: Codec<Variant> = {
  type: 'v',
  alignment: 8,
  fixedSize: undefined,
  encode({ type, value }) {
    return Buffer.concat([codecOf(type).encode(value), Buffer.from(`\0${type}`)]);
  },
  decode(serialized, depth) {
    if (depth >= deepest) throw new GVariantError(`variants nested deeper than ${deepest}`);
    const separator = serialized.lastIndexOf(0);
    if (separator < 0) throw new GVariantError('a variant without a type');
    const type = serialized.toString('latin1', separator + 1);
    return { type, value: codecOf(type).decode(serialized.subarray(0, separator), depth + 1) };
  },
};

/** `a{sv}`. */
export const dictionary: Codec<Dictionary> = array(entry(string, variant));

const basicTypes: Readonly<Record<string, Codec<never>>> = {
  b: boolean as Codec<never>,
  y: uint8 as Codec<never>,
  n: int16 as Codec<never>,
  q: uint16 as Codec<never>,
  i: int32 as Codec<never>,
  u: uint32 as Codec<never>,
  h: { ...int32, type: 'h' } as Codec<never>,
  x: int64 as Codec<never>,
  t: uint64 as Codec<never>,
  d: double as Codec<never>,
  s: string as Codec<never>,
  o: stringOfType('o') as Codec<never>,
  g: stringOfType('g') as Codec<never>,
};

const known = new Map<string, Codec<Value>>();

/** The codec of a type string. Throws GVariantError when it is none, or nested too deeply. */
export function codecOf(type: string): Codec<Value> {
  const cached = known.get(type);
  if (cached !== undefined) return cached;
  if (type.length > longestType) throw new GVariantError('a type string that is too long');
  const [codec, end] = parse(type, 0, 0);
  if (end !== type.length) throw new GVariantError(`an unknown type: ${JSON.stringify(type)}`);
  if (known.size < 256) known.set(type, codec);
  return codec;
}

function parse(type: string, at: number, depth: number): [Codec<Value>, number] {
  const first = type[at] ?? '';
  if (depth > deepest) throw new GVariantError('a type that is nested too deeply');
  if (type.startsWith('ay', at)) return [bytes as Codec<never>, at + 2];
  if (first === 'v') return [variant as Codec<never>, at + 1];
  if (first === 'a' || first === 'm') {
    const [child, end] = parse(type, at + 1, depth + 1);
    return [(first === 'a' ? array(child) : maybe(child)) as Codec<never>, end];
  }
  if (first === '(' || first === '{') {
    const closing = first === '(' ? ')' : '}';
    const members: Codec<Value>[] = [];
    let position = at + 1;
    while (position < type.length && type[position] !== closing) {
      const [member, end] = parse(type, position, depth + 1);
      members.push(member);
      position = end;
    }
    const [key, value] = members;
    if (type[position] !== closing) throw new GVariantError('a type that is not closed');
    if (first === '(') return [tuple(...members) as Codec<never>, position + 1];
    if (key === undefined || value === undefined || members.length !== 2) {
      throw new GVariantError('a dictionary entry that is no pair');
    }
    return [entry(key, value) as Codec<never>, position + 1];
  }
  const basic = Object.hasOwn(basicTypes, first) ? basicTypes[first] : undefined;
  if (basic === undefined) throw new GVariantError(`an unknown type: ${JSON.stringify(type)}`);
  return [basic, at + 1];
}
