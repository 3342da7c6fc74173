import { describe, expect, test } from 'vitest';
import { readCopies } from '../../../../src/delta/decode/patch-reader.ts';
import { StreamReader } from '../../../../src/delta/decode/stream-reader.ts';
import { encodeDelta } from '../../../../src/delta/encode/encode-delta.ts';
import { ByteSink } from '../../../../src/delta/format/byte-sink.ts';
import { btfClasses, pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { PredictorMemory } from '../../../../src/delta/pointers/predict/predictor-memory.ts';
import { applyDelta, codeOf, deltaBytes, makeImage, openBytes } from '../../support/image-pair.ts';
import { patchOf } from '../../support/patch-of.ts';
import { basicTypes, makeBtf, type SmallType, unitOf } from '../../support/small-btf.ts';
import { generator } from '../../support/small-elf.ts';
import { makeKernel } from '../../support/small-kernel.ts';
import { makeObject } from '../../support/small-object.ts';
import { makeVmlinux } from '../../support/small-vmlinux.ts';

const files = 400;
const unit = (prefix: string, number: number) => unitOf(prefix, number, (number * 7) % files);
const numbers = Array.from({ length: files }, (_, number) => number);

/** The same types in another order, as more than one thread leaves them, and some more of them. */
const oldKernel: readonly SmallType[] = [
  ...basicTypes,
  ...numbers.flatMap((number) => unit('kernel', number)),
];
const newOrder = numbers.map((at) => 8 * ((Math.floor(at / 8) * 13) % (files / 8)) + (at % 8));
const newKernel: readonly SmallType[] = [
  ...basicTypes,
  ...newOrder.flatMap((number) => [
    ...unit('kernel', number),
    ...(number % 50 === 9 ? unitOf('another', number, number) : []),
  ]),
];
/** A module has types of its own that lead to the kernel's. */
const moduleTypes = (prefix: string, added: number): SmallType[] =>
  numbers.slice(0, 60).flatMap((number) => [
    ...(number === added ? unitOf('more', number, number) : []),
    ...unit(prefix, number),
    {
      ...{ key: `${prefix} of kernel ${number}`, kind: 13, type: 'int', items: 1 },
      words: [{ name: `next_kernel_${number * 5}` }, { type: `pointer kernel_${number * 5}` }],
    },
  ]);
const functions = { function_0: 60, function_1: 70 };
const object = (types: Buffer) => makeObject({ functions, types });
const [[oldOne, newOne], [oldTwo, newTwo]] = ['one', 'two'].map((prefix) => [
  object(makeBtf(moduleTypes(prefix, -1), { types: oldKernel })),
  object(makeBtf(moduleTypes(prefix, 20), { types: newKernel })),
]) as [[Buffer, Buffer], [Buffer, Buffer]];
const paddings = Array.from({ length: 20 }, () => 20);
const [before, after] = [oldKernel, newKernel].map((types) =>
  makeVmlinux(paddings, 7, makeBtf(types)),
) as [Buffer, Buffer];

/** No types any more: another magic number. */
function withoutTypes(file: Buffer): Buffer {
  const other = Buffer.from(file);
  other[file.indexOf(Buffer.from('9feb010018000000', 'hex')) + 1] = 0;
  return other;
}

type Files = Readonly<Record<string, Uint8Array>>;

async function roundTrip(old: Files, bytes: Files) {
  const [from, to] = [await makeImage(old, 'a'), await makeImage(bytes, 'b')];
  const { delta, contributions } = await encodeDelta(from, to);
  const applied = await applyDelta(await openBytes(deltaBytes(delta)), from.reader);
  expect(applied.bytes.equals(to.bytes)).toBe(true);
  const leftOf = (name: string): number => {
    const file = contributions.find(({ path }) => path === `/${name}`);
    return (file?.literals ?? 0) + (file?.differences ?? 0);
  };
  return leftOf;
}

describe('the types of a kernel', () => {
  test('are predicted, though their order changed', async () => {
    expect((await patchOf(before, after)).patch.mask & btfClasses).toBe(btfClasses);
    const leftOf = await roundTrip({ k: before }, { k: after });
    const unpredicted = await roundTrip({ k: withoutTypes(before) }, { k: withoutTypes(after) });
    expect(leftOf('k')).toBeLessThan(unpredicted('k') / 4);
  });

  test('come out right compressed', async () => {
    await roundTrip({ k: makeKernel(before) }, { k: makeKernel(after) });
  });
});

describe('the types of a module', () => {
  test('are predicted', async () => {
    expect((await patchOf(oldOne, newOne)).patch.mask & btfClasses).toBe(btfClasses);
    const leftOf = await roundTrip({ m: oldOne }, { m: newOne });
    const unpredicted = await roundTrip({ m: withoutTypes(oldOne) }, { m: withoutTypes(newOne) });
    expect(leftOf('m')).toBeLessThan(unpredicted('m') / 2);
  });

  test('need next to nothing where the kernel, or another module, came before', async () => {
    const alone = await roundTrip({ m: oldOne }, { m: newOne });
    const behindKernel = await roundTrip({ k: before, m: oldOne }, { k: after, m: newOne });
    // What is left is new in it: four records, and their names.
    expect(behindKernel('m')).toBeLessThan(alone('m') / 2);
    const behindAnother = await roundTrip({ m: oldOne, n: oldTwo }, { m: newOne, n: newTwo });
    expect(behindAnother('n')).toBeLessThan(alone('m') / 2);
  });

  test("that are the kernel's only, or none, come out right", async () => {
    const bare = object(
      makeBtf([{ key: 'p', kind: 2, type: 'pointer kernel_3' }], { types: oldKernel }),
    );
    const none = object(makeBtf([], { types: oldKernel }));
    for (const old of [bare, none, oldOne]) {
      for (const bytes of [bare, none, newOne]) {
        await roundTrip({ k: before, m: old, n: oldTwo }, { k: after, m: bytes, n: newTwo });
      }
    }
  });
});

describe('what numbers go on from, before the copies', () => {
  const memory = new PredictorMemory();
  const shape = { newSize: 100, oldOffset: 0, oldSize: 100, mask: pointerClass.btfName, copies: 0 };
  const read = async (numbers: readonly number[]) => {
    const sink = new ByteSink();
    for (const number of numbers) sink.addSigned(number);
    const chunks = async function* () {
      yield sink.bytes;
    };
    const control = new StreamReader(chunks(), sink.length, 'x');
    await readCopies(shape, { control, memory }, 'x');
    await control.finish();
    return memory.btf.bases;
  };

  test('is what it is more than in the patch before, and how far the names moved', async () => {
    const [old, bytes] = [
      { types: 5, names: 70 },
      { types: 6, names: 60 },
    ];
    expect(await read([5, 70, 6, 60, -9])).toEqual({ old, new: bytes, namesMoved: -9 });
    const next = { types: 1, names: 2 ** 31 - 1 };
    expect(await read([0, 0, -5, 2 ** 31 - 61, 1])).toEqual({ old, new: next, namesMoved: 1 });
  });

  test.each([[[-6, 0, 0, 0, 0]], [[0, 2 ** 31 - 70, 0, 0, 0]], [[0, 0, 0, 1, 0]], [[0, 0, 0, 0]]])(
    '%j are refused',
    async (numbers) => {
      expect(await codeOf(read(numbers))).toBe('CORRUPT_DELTA');
    },
  );
});

test('that overlap with another section are not predicted, and come out right', async () => {
  const at = oldOne.indexOf(Buffer.from('9feb0100', 'hex'));
  const headers = oldOne.readUInt32LE(40);
  for (let index = 1; index < oldOne.readUInt16LE(60) - 1; index++) {
    const odd = Buffer.from(oldOne);
    odd.writeUInt32LE(at + 24, headers + 64 * index + 24);
    await roundTrip({ m: odd }, { m: newOne });
    if ([3, 5, 6].includes(index)) {
      expect((await patchOf(odd, newOne)).patch.mask & btfClasses).toBe(0);
    }
  }
});

test('whatever stands in place of types ends in no error', async () => {
  const random = generator(3);
  const at = oldOne.indexOf(Buffer.from('9feb0100', 'hex'));
  for (let round = 0; round < 40; round++) {
    const [odd, other] = [Buffer.from(oldOne), Buffer.from(newOne)];
    // Of the header, or of the first records.
    const place = at + (round < 20 ? round : 24 + (random() % 2000));
    odd.writeUInt32LE(random(), place);
    if (round % 2 === 0) other.writeUInt32LE(random(), place);
    await roundTrip({ m: odd, n: oldOne }, { m: other, n: newOne });
  }
});
