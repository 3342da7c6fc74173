/** A type of made BTF: its kind by number, and what it says; types it leads to are told by their keys. */
export interface SmallType {
  readonly key: string;
  readonly kind: number;
  readonly name?: string;
  /** What the third word is, if it is no type. */
  readonly size?: number;
  readonly type?: string;
  /** Words behind the header: numbers as they are, `{ type }` and `{ name }` as the numbers of these. */
  readonly words?: readonly (number | { readonly type: string } | { readonly name: string })[];
  readonly items?: number;
}

/** Types and names that others go on from. */
export interface SmallBase {
  readonly types: readonly SmallType[];
}

/** BTF with all of the types, in their order; those of a module go on from those of `base`. */
export function makeBtf(types: readonly SmallType[], base?: SmallBase): Buffer {
  const kernel = base === undefined ? undefined : numbersOf(base.types, undefined);
  const numbers = numbersOf(types, kernel);
  const records = Buffer.concat(types.map((each) => recordOf(each, numbers)));
  const names = Buffer.from(numbers.ownNames.map((name) => `${name}\0`).join(''), 'latin1');
  const header = Buffer.alloc(24);
  header.writeUInt32BE(0x9feb0100, 0);
  const rest = [header.length, 0, records.length, records.length, names.length];
  rest.forEach((word, index) => {
    header.writeUInt32LE(word, 4 + 4 * index);
  });
  return Buffer.concat([header, records, names]);
}

/** How many types and bytes of names a module goes on from. */
export function sizesOf({ types }: SmallBase): { types: number; names: number } {
  return { types: types.length, names: numbersOf(types, undefined).namesEnd };
}

interface Numbers {
  readonly types: Map<string, number>;
  readonly names: Map<string, number>;
  readonly ownNames: string[];
  typesEnd: number;
  namesEnd: number;
}

function numbersOf(types: readonly SmallType[], base: Numbers | undefined): Numbers {
  const numbers: Numbers = {
    types: new Map(base?.types),
    names: new Map(base?.names),
    ownNames: [],
    typesEnd: base?.typesEnd ?? 0,
    namesEnd: base?.namesEnd ?? 0,
  };
  const addName = (name: string): void => {
    if (numbers.names.has(name)) return;
    numbers.names.set(name, numbers.namesEnd);
    numbers.ownNames.push(name);
    numbers.namesEnd += name.length + 1;
  };
  addName('');
  for (const { key, name = '', words = [] } of types) {
    numbers.types.set(key, ++numbers.typesEnd);
    addName(name);
    for (const word of words) if (typeof word === 'object' && 'name' in word) addName(word.name);
  }
  return numbers;
}

function recordOf(
  { kind, name = '', size = 0, type, words = [], items = 0 }: SmallType,
  numbers: Numbers,
): Buffer {
  const record = Buffer.alloc(12 + 4 * words.length);
  const typeOf = (key: string): number => numbers.types.get(key) ?? 0;
  record.writeUInt32LE(numbers.names.get(name) ?? 0, 0);
  record.writeUInt32LE(((kind << 24) | items) >>> 0, 4);
  record.writeUInt32LE(type === undefined ? size : typeOf(type), 8);
  words.forEach((word, index) => {
    const value =
      typeof word === 'number'
        ? word
        : 'type' in word
          ? typeOf(word.type)
          : (numbers.names.get(word.name) ?? 0);
    record.writeUInt32LE(value, 12 + 4 * index);
  });
  return record;
}

/** What a file of sources gives: a struct, a pointer to it, a prototype that takes it, and a function. `callee` is another such file. */
export function unitOf(prefix: string, number: number, callee: number): SmallType[] {
  const key = `${prefix}_${number}`;
  const member = (name: string, type: string, at: number) => [{ name }, { type }, at] as const;
  return [
    {
      ...{ key: `struct ${key}`, kind: 4, name: `${key}_struct`, size: 24, items: 3 },
      words: [
        ...member(`count_${number % 7}`, 'int', 0),
        ...member(`next_${key}`, `pointer ${key}`, 64),
        ...member('other', `pointer ${prefix}_${callee}`, 128),
      ],
    },
    { key: `pointer ${key}`, kind: 2, type: `struct ${key}` },
    {
      ...{ key: `prototype ${key}`, kind: 13, type: 'int', items: 2 },
      words: [{ name: 'self' }, { type: `pointer ${key}` }, { name: 'flags' }, { type: 'long' }],
    },
    { key: `function ${key}`, kind: 12, name: `${key}_do`, type: `prototype ${key}`, items: 1 },
  ];
}

export const basicTypes: readonly SmallType[] = [
  { key: 'int', kind: 1, name: 'int', size: 4, words: [0x01000020] },
  { key: 'long', kind: 1, name: 'long', size: 8, words: [0x01000040] },
];
