import { describe, expect, test } from 'vitest';
import { bytes, string, uint8, uint32 } from '../../src/repo/gvariant/basic.ts';
import { decode } from '../../src/repo/gvariant/codec.ts';
import { array, maybe, tuple } from '../../src/repo/gvariant/containers.ts';
import { printVariant } from '../../src/repo/gvariant/print.ts';
import { codecOf, dictionary, type Value, variant } from '../../src/repo/gvariant/variant.ts';
import { codeOf } from '../support/code-of.ts';
import fc from '../support/fast-check.ts';

const hex = (buffer: Buffer) => buffer.toString('hex');

/** The examples of the GVariant specification, section 2.5. */
describe('the examples of the specification', () => {
  test.each([
    ['a string', codecOf('s'), 'hello world', '68656c6c6f20776f726c6400'],
    ['maybe a string', maybe(string), 'hello world', '68656c6c6f20776f726c640000'],
    ['booleans', codecOf('ab'), [true, false, false, true, true], '0100000101'],
    ['a structure', codecOf('(si)'), ['foo', -1], '666f6f00ffffffff04'],
    [
      'an array of structures',
      codecOf('a(si)'),
      [
        ['hi', -2],
        ['bye', -1],
      ],
      '68690000feffffff0300000062796500ffffffff040915',
    ],
    [
      'strings',
      codecOf('as'),
      ['i', 'can', 'has', 'strings?'],
      '690063616e0068617300737472696e67733f0002060a13',
    ],
    ['bytes', codecOf('ay'), Buffer.from([4, 5, 6, 7]), '04050607'],
    ['integers', codecOf('ai'), [4, 258], '0400000002010000'],
    ['padding at the end', codecOf('(iy)'), [0x60, 0x70], '6000000070000000'],
  ] as const)('%s', (_, codec, value, expected) => {
    const encoded = codec.encode(value as never);
    expect(hex(encoded)).toBe(expected);
    expect(decode(codec as never, encoded, 'test')).toEqual(value);
  });

  test('an empty dirtree is one zero byte', () => {
    const tree = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));
    expect(hex(tree.encode([[], []]))).toBe('00');
  });
});

test('offsets get wider when the whole would not fit', () => {
  const codec = array(string);
  for (const length of [0, 250, 253, 254, 255, 256, 65_530, 65_532, 65_533, 65_536]) {
    const value = ['x'.repeat(length), 'y'];
    const encoded = codec.encode(value);
    expect(decode(codec, encoded, 'test')).toEqual(value);
    const width = encoded.length <= 0xff ? 1 : encoded.length <= 0xffff ? 2 : 4;
    expect(encoded.length).toBe(length + 3 + 2 * width);
  }
});

describe('whatever it is given', () => {
  /** Types with values of them. */
  const { typed } = fc.letrec<{ typed: readonly [string, Value] }>((tie) => ({
    typed: fc.oneof(
      { depthSize: 'small' as const },
      fc.string().map((text) => ['s', text.replaceAll('\0', '')] as const),
      fc.uint8Array().map((raw) => ['ay', Buffer.from(raw)] as const),
      fc.nat().map((number) => ['u', number] as const),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number) => ['t', number] as const),
      fc.boolean().map((flag) => ['b', flag] as const),
      fc.array(tie('typed'), { maxLength: 4 }).map((members) => {
        const type = `(${members.map(([each]) => each).join('')})`;
        return [type, members.map(([, value]) => value)] as const;
      }),
      tie('typed').map(([type, value]) => ['v', { type, value }] as const),
      fc.tuple(tie('typed'), fc.nat({ max: 3 })).map(([[type, value], count]) => {
        // An array of bytes is bytes, not a list.
        return type === 'y'
          ? (['as', []] as const)
          : ([`a${type}`, Array(count).fill(value)] as const);
      }),
    ),
  }));

  test('what is written is read again', () => {
    fc.assert(
      fc.property(typed, ([type, value]) => {
        const codec = codecOf(type);
        expect(decode(codec, codec.encode(value), 'test')).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test('bytes are read as what they are the encoding of, or refused as CORRUPT_GVARIANT', () => {
    const types = ['(a(say)a(sayay))', 'a{sv}', '(uuua(ayay))', 'a{sv}aya(say)sstayay', 'aas', 'v'];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 60 }), (type, raw) => {
        const codec = codecOf(type.startsWith('a{sv}a') ? `(${type})` : type);
        let value: Value;
        try {
          value = decode(codec, raw, 'test');
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPT_GVARIANT' });
          return;
        }
        expect(codec.encode(value)).toEqual(Buffer.from(raw));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bad bytes are refused', () => {
  test.each([
    ['no NUL', 's', '6869'],
    ['a NUL inside', 's', '68006900'],
    ['not UTF-8', 's', 'ff00'],
    ['padding that is not zero', '(yu)', '0100010002000000'],
    ['a boolean of 2', 'b', '02'],
    ['an offset behind the end', 'as', '6100ff'],
    ['offsets that go back', 'as', '61006200040200'],
    ['a variant without type', 'v', '0102'],
    ['a variant of an unknown type', 'v', '010071717a'],
    ['a tuple that is too short', '(uu)', '01000000'],
    ['an offset that is wider than needed', '(ss)', '6100620000020000'],
  ])('%s', (_, type, bytesInHex) => {
    codeOf(() => decode(codecOf(type), Buffer.from(bytesInHex, 'hex'), 'test'), 'CORRUPT_GVARIANT');
  });

  test('types and variants nested without end', () => {
    let nested: Value = { type: 'y', value: 1 };
    for (let depth = 0; depth < 100; depth += 1) nested = { type: 'v', value: nested };
    const encoded = variant.encode(nested as never);
    codeOf(() => decode(variant, encoded, 'test'), 'CORRUPT_GVARIANT');
    const arrays = Buffer.from(`\0${'a'.repeat(200)}s`);
    codeOf(() => decode(variant, arrays, 'test'), 'CORRUPT_GVARIANT');
  });
});

test('numbers out of range are not written', () => {
  expect(() => uint8.encode(256)).toThrow(RangeError);
  expect(() => uint32.encode(-1)).toThrow(RangeError);
});

test('a dictionary keeps its order', () => {
  const entries = [
    ['z', { type: 's', value: '1' }],
    ['a', { type: 'u', value: 2 }],
  ] as const;
  expect(decode(dictionary, dictionary.encode(entries), 'test')).toEqual(entries);
});

test.each([
  ['s', "it's", `"it's"`],
  ['s', 'a\\b\n"', `'a\\\\b\\n"'`],
  ['u', 5, 'uint32 5'],
  ['(tay)', [5n, Buffer.from([1, 255])], '(uint64 5, [byte 0x01, 0xff])'],
  ['a{sv}', [['k', { type: 'b', value: true }]], "{'k': <true>}"],
  ['a(ayay)', [], '@a(ayay) []'],
  ['ay', Buffer.from('text\0'), "b'text'"],
  ['(s)', ['one'], "('one',)"],
  ['as', [], '@as []'],
] as const)('%s is printed as GLib does: %s', (type, value, text) => {
  expect(printVariant({ type, value: value as Value })).toBe(text);
});
