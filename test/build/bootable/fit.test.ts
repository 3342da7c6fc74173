import { describe, expect, test } from 'vitest';
import { checkFits } from '../../../src/build/bootable/fit.ts';
import { veritySize } from '../../../src/image/slot.ts';
import { codeOf } from '../../support/code-of.ts';

const mebibyte = 1 << 20;

describe('checkFits', () => {
  test('S10: an image fits to the last byte, and one byte more is refused, saying by how much', () => {
    const image = 300 * mebibyte;
    const slot = image + veritySize(image) + 65536;
    expect(checkFits(image, slot, 'vm.cfg').left).toBe(0);
    const error = codeOf(() => checkFits(image, slot - 1, 'vm.cfg'), 'SPACE_SLOT');
    expect(error.details.found).toContain(': 1 too many');
    expect(error.details.where).toBe('vm.cfg');
  });

  test('above three quarters there is a warning, below there is none', () => {
    expect(checkFits(370 * mebibyte, 512 * mebibyte, 'vm.cfg').warning).toBeUndefined();
    expect(checkFits(390 * mebibyte, 512 * mebibyte, 'vm.cfg').warning).toContain('76 % full');
  });
});
