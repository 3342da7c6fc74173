import { describe, expect, test } from 'vitest';
import { encodeDelta } from '../../../../src/delta/encode/encode-delta.ts';
import { referencePieces } from '../../../../src/delta/encode/reference.ts';
import { pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from '../../support/image-pair.ts';
import { patchOf } from '../../support/patch-of.ts';
import { makeKernel } from '../../support/small-kernel.ts';
import { makeVmlinux } from '../../support/small-vmlinux.ts';

const paddings = (grown: number) =>
  Array.from({ length: 120 }, (_, index) => (index % 30 === 7 ? grown : 20));
const [before, after] = [makeVmlinux(paddings(20)), makeVmlinux(paddings(33))];

describe('a kernel, whose addresses are below 0', () => {
  test('has its pointers predicted: of all kinds', async () => {
    const { pair, patch } = await patchOf(before, after);
    const { call, absolute, pointer, selfRelative, listed } = pointerClass;
    for (const kind of [call, absolute, pointer, selfRelative, listed]) {
      expect(patch.mask & kind, `class ${kind}`).toBe(kind);
    }
    let different = 0;
    let copied = 0;
    for (const { newStart, reference } of referencePieces(pair, patch.copies, patch.mask)) {
      copied += reference.length;
      reference.forEach((byte, index) => {
        if (byte !== after[newStart + index]) different++;
      });
    }
    expect(copied).toBeGreaterThan(0.98 * after.length);
    expect(different).toBeLessThan(80);
    const apart = before.filter((byte, index) => byte !== after[index]).length;
    expect(apart).toBeGreaterThan(3000);
  });

  test.each([
    ['as it is', (bytes: Buffer) => bytes],
    ['compressed', (bytes: Buffer) => makeKernel(bytes)],
  ])('comes out right %s', async (_, pack) => {
    const [from, to] = [
      await makeImage({ vmlinuz: pack(before) }, 'a'),
      await makeImage({ vmlinuz: pack(after) }, 'b'),
    ];
    const opened = await openBytes(deltaBytes((await encodeDelta(from, to)).delta));
    const { bytes } = await applyDelta(opened, from.reader);
    expect(bytes.equals(to.bytes)).toBe(true);
  });
});
