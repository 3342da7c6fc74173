import { describe, expect, test } from 'vitest';
import { encodeDelta } from '../../../../src/delta/encode/encode-delta.ts';
import { pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from '../../support/image-pair.ts';
import { patchOf } from '../../support/patch-of.ts';
import { makeElf } from '../../support/small-elf.ts';

const count = 400;
const plain = Array.from({ length: count }, (_, index) => 4 * (index % 7));
const grown = plain.map((padding, index) => padding + (index % 50 === 9 ? 24 : 0));

describe.each(['x86-64', 'x86-64, fixed', 'arm64'] as const)(
  'pointers of a program for %s whose functions grew',
  (machine) => {
    const before = makeElf({ functions: plain, seed: 5, machine });
    const after = makeElf({ functions: grown, seed: 5, machine });

    test('are predicted: calls, operands and tables of addresses', async () => {
      const { patch } = await patchOf(before, after);
      const { call, operand, pointer, absolute, constant } = pointerClass;
      const others = machine === 'x86-64, fixed' ? absolute | constant : operand | pointer;
      expect(patch.mask).toBe(call | others);
      const [from, to] = [await makeImage({ p: before }, 'a'), await makeImage({ p: after }, 'b')];
      const { delta, contributions } = await encodeDelta(from, to);
      const program = contributions.find(({ path }) => path === '/p');
      // 6,400 pointers moved. What is left: headers, and calls over the border of two pages.
      expect(program?.differences).toBeLessThan(250);
      expect(program?.literals).toBeLessThan(250);
      const { bytes } = await applyDelta(await openBytes(deltaBytes(delta)), from.reader);
      expect(bytes.equals(to.bytes)).toBe(true);
    });

    test('are left alone in a file that only looks like a program', async () => {
      const broken = Buffer.from(before);
      broken.writeUInt16LE(40, 18);
      expect((await patchOf(broken, after)).patch.mask).toBe(0);
    });

    test.each([16, 32, 40, 54, 56, 58, 60, 64 + 8, 64 + 32])(
      'and headers that lie at byte %i end in no error',
      async (at) => {
        const odd = Buffer.from(before);
        odd.writeUInt32LE(0xfffffff0, at);
        const [from, to] = [await makeImage({ p: odd }, 'a'), await makeImage({ p: after }, 'b')];
        const { delta } = await encodeDelta(from, to);
        const { bytes } = await applyDelta(await openBytes(deltaBytes(delta)), from.reader);
        expect(bytes.equals(to.bytes)).toBe(true);
      },
    );
  },
);
