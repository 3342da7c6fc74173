import { describe, expect, test } from 'vitest';
import { encodeDelta } from '../../../../src/delta/encode/encode-delta.ts';
import { readElf } from '../../../../src/delta/pointers/elf/read-elf.ts';
import { pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { bytesReader } from '../../../../src/ports/positioned-reader.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from '../../support/image-pair.ts';
import { patchOf } from '../../support/patch-of.ts';
import { makeGoProgram } from '../../support/small-go.ts';

const plain = Array.from({ length: 600 }, () => 16);
const grown = plain.map((padding, index) => (index % 60 === 5 ? padding + 24 : padding));

async function deltaOf(before: Buffer, after: Buffer) {
  const [from, to] = [await makeImage({ p: before }, 'a'), await makeImage({ p: after }, 'b')];
  const { delta, contributions } = await encodeDelta(from, to);
  const { bytes } = await applyDelta(await openBytes(deltaBytes(delta)), from.reader);
  expect(bytes.equals(to.bytes)).toBe(true);
  return contributions.find(({ path }) => path === '/p');
}

describe.each([
  ['Go 1.18', { isOld: true }],
  ['Go 1.20', {}],
  ['Go 1.20, its table among other data', { isJoined: true }],
])('a program in %s whose functions grew', (_, kind) => {
  const before = makeGoProgram({ functions: plain, ...kind });
  const after = makeGoProgram({ functions: grown, ...kind });

  test('has its tables of functions and types predicted', async () => {
    const { patch } = await patchOf(before, after);
    const { goCode, goTable, goType } = pointerClass;
    expect(patch.mask & (goCode | goTable | goType)).toBe(goCode | goTable | goType);
    const found = await deltaOf(before, after);
    // Some 9,000 numbers changed. What is left: what grew, the header, and what lies over the border of two pages.
    expect(found?.differences).toBeLessThan(1200);
    expect(found?.literals).toBeLessThan(4500);
  });

  test('has parts where they are, whatever the section is that has them', async () => {
    const elf = await readElf(bytesReader(after));
    const kinds = new Set(elf?.sections.map((section) => section.kind));
    const all = ['go-units', 'go-functions', 'go-records', 'go-buckets', 'go-types', 'go-links'];
    for (const kind of all) expect(kinds, kind).toContain(kind);
    expect(kinds.has('go-inlined')).toBe(!('isOld' in kind));
    expect(elf?.go?.text.address).toBe(0x401000);
  });
});

test('a header or a description of the program that is odd ends in no error', async () => {
  const [before, after] = [plain, grown].map((functions) => makeGoProgram({ functions }));
  if (before === undefined || after === undefined) throw new Error('no programs');
  const elf = await readElf(bytesReader(before));
  const list = elf?.sections.find((section) => section.kind === 'go-functions')?.offset ?? 0;
  const records = elf?.sections.find((section) => section.kind === 'go-records')?.offset ?? 0;
  const table = before.indexOf(Buffer.from([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]));
  const text = before.lastIndexOf(Buffer.from([0, 0x10, 0x40, 0, 0, 0, 0, 0]));
  const places = [
    ...[1, 4, 5, 6, 7, 8].map((word) => table + 8 * word),
    ...[-22, -21, -3, 0, 1, 15, 16, 18, 23, 24].map((word) => text + 8 * word),
    ...[list + 4, records + 28, records + 40],
  ];
  for (const at of places) {
    for (const number of [0xfffffff0, 3]) {
      const odd = Buffer.from(before);
      odd.writeUInt32LE(number, at);
      await deltaOf(odd, after);
    }
  }
}, 60_000);
