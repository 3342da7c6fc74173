import { describe, expect, test } from 'vitest';
import { encodeDelta } from '../../../../src/delta/encode/encode-delta.ts';
import { pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from '../../support/image-pair.ts';
import { patchOf } from '../../support/patch-of.ts';
import { makeObject } from '../../support/small-object.ts';

const names = Array.from({ length: 600 }, (_, index) => `function_${index}`);
const before = Object.fromEntries(names.map((name, index) => [name, 40 + (index % 9)]));
/** Every fiftieth function is longer, and some are new. */
const after = Object.fromEntries(
  names.flatMap((name, index) => {
    const here: [string, number] = [name, (before[name] ?? 0) + (index % 50 === 9 ? 24 : 0)];
    return index % 200 === 77 ? [here, [`new_${index}`, 60] as [string, number]] : [here];
  }),
);

async function roundTrip(old: Uint8Array, bytes: Uint8Array) {
  const [from, to] = [await makeImage({ m: old }, 'a'), await makeImage({ m: bytes }, 'b')];
  const { delta, contributions } = await encodeDelta(from, to);
  const applied = await applyDelta(await openBytes(deltaBytes(delta)), from.reader);
  expect(applied.bytes.equals(to.bytes)).toBe(true);
  return contributions.find(({ path }) => path === '/m');
}

function ofAnotherMachine(file: Buffer): Buffer {
  const other = Buffer.from(file);
  other.writeUInt16LE(40, 18);
  return other;
}

describe.each(['x86-64', 'arm64'] as const)('an object file for %s', (machine) => {
  const [old, bytes] = [
    makeObject({ functions: before, machine }),
    makeObject({ functions: after, machine }),
  ];

  test('has its symbols, relocations and headers predicted', async () => {
    const { patch } = await patchOf(old, bytes);
    const { relocation, number, pointer, symbol } = pointerClass;
    expect(patch.mask & (relocation | number | pointer | symbol)).toBe(
      relocation | number | pointer | symbol,
    );
    const file = await roundTrip(old, bytes);
    // What is left of 1,800 relocations and 600 symbols is about the functions that grew, or over the border of two pages.
    expect(file?.differences).toBeLessThan(800);
    const unpredicted = await roundTrip(ofAnotherMachine(old), ofAnotherMachine(bytes));
    expect(unpredicted?.differences).toBeGreaterThan(4000);
  });

  test('with any byte of its headers changed ends in no error', async () => {
    const table = old.readUInt32LE(40);
    const places = [16, 40, 58, 60, ...Array.from({ length: 56 }, (_, index) => table + 8 * index)];
    for (const at of places) {
      const odd = Buffer.from(old);
      odd.writeUInt32LE(0xfffffff0, at);
      await roundTrip(odd, bytes);
    }
  });

  test('and a program are compared without error', async () => {
    const program = Buffer.from(bytes);
    program.writeUInt16LE(3, 16);
    await roundTrip(old, program);
    await roundTrip(program, bytes);
  });
});
