import { describe, expect, test } from 'vitest';
import { decodeTarget, encodeValue } from '../../../../src/delta/pointers/predict/pointer-value.ts';
import { valueForm } from '../../../../src/delta/pointers/value-form.ts';

const site = 0x21fb4;

describe('instructions of arm64, as objdump prints them', () => {
  // At 0x21fb4 unless told otherwise.
  test.each([
    ['bl 3600c', valueForm.branch26, 0x94005016, 0x3600c],
    ['b 21fa0', valueForm.branch26, 0x17fffffb, 0x21fa0],
    ['cbnz x0, 21fd8', valueForm.branch19, 0xb5000120, 0x21fd8],
    ['b.ne 21f4c', valueForm.branch19, 0x54fffcc1, 0x21f4c],
    ['tbz w0, #0, 21fb8', valueForm.branch14, 0x36000020, 0x21fb8],
    ['adr x1, 21fb5', valueForm.adr, 0x30000001, 0x21fb5],
    ['adrp x21, 5a000', valueForm.adrp, 0xb00001d5, 0x5a000],
    ['add x0, x21, #0xc9c', valueForm.low12, 0x913272a0, 0x70c9c],
    ['ldr x21, [x20, #8]', valueForm.low12, 0xf9400695, 0x70008],
    ['ldr q0, [x20, #32]', valueForm.low12, 0x3dc00a80, 0x70020],
  ])('%s', (_, form, word, target) => {
    expect(decodeTarget(form, word | 0, site, 0, word | 0, target)).toBe(target);
    const moved = encodeValue(form, word | 0, site, target + 0x3000, 0);
    if (form === valueForm.low12) expect(moved).toBe(word | 0);
    else expect(moved).not.toBe(word | 0);
    expect(encodeValue(form, moved ?? 0, site, target, 0)).toBe(word | 0);
  });

  test.each([
    ['a call that is too far', valueForm.branch26, 0x94000000, site + 2 ** 28],
    ['a call to no whole word', valueForm.branch26, 0x94000000, site + 2],
    ['a branch that is too far', valueForm.branch19, 0x54000001, site + 2 ** 20],
    ['a test that is too far', valueForm.branch14, 0x36000020, site - 2 ** 15 - 4],
    ['an address that is too far', valueForm.adr, 0x10000001, site + 2 ** 20],
    ['an eight-byte load from between', valueForm.low12, 0xf9400695, 0x7000c],
  ])('%s is not predicted', (_, form, word, target) => {
    expect(encodeValue(form, word | 0, site, target, 0)).toBeUndefined();
  });

  test('another instruction in the place of the old one tells no target', () => {
    expect(decodeTarget(valueForm.branch26, 0x94005016 | 0, site, 0, 0x14005016, 0)).toBe(
      undefined,
    );
  });
});
