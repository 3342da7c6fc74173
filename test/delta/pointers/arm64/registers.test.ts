import { expect, test } from 'vitest';
import { Registers } from '../../../../src/delta/pointers/arm64/registers.ts';
import { Sites } from '../../../../src/delta/pointers/sites.ts';

test('a call makes the addresses in the first 19 registers unknown, and no others', () => {
  const registers = new Registers();
  for (let register = 0; register < 31; register++) registers.set(register, 0x1000 + register, -1);
  registers.forgetAcrossCall();
  const known = Array.from({ length: 32 }, (_, register) => registers.isKnown(register));
  expect(known).toEqual(
    Array.from({ length: 32 }, (_, register) => register > 18 && register < 31),
  );
  expect(registers.address(30)).toBe(0x101e);
});

test('an address below 0 is not known, nor is what the register had before', () => {
  const registers = new Registers();
  registers.set(3, 0x1000, -1);
  registers.set(3, -0x1000, -1);
  expect(registers.isKnown(3)).toBe(false);
  registers.set(3, 0, -1);
  expect([registers.isKnown(3), registers.address(3)]).toEqual([true, 0]);
});

test('register 31 is none', () => {
  const registers = new Registers();
  registers.set(31, 0x1000, -1);
  expect(registers.isKnown(31)).toBe(false);
});

test('the first address made of a page is what the site of the page is about', () => {
  const [registers, sites] = [new Registers(), new Sites()];
  registers.set(7, 0x4000, 2);
  expect(registers.isPage(7)).toBe(true);
  registers.usePage(7, 0x4010, sites);
  registers.usePage(7, 0x4020, sites);
  expect([sites.target[2], registers.isPage(7)]).toEqual([0x4010, true]);
});

// Encodings as GNU as makes them.
test.each([
  ['ldr x5, [x6]', 0xf94000c5, 5],
  ['add x5, x6, #1', 0x910004c5, 5],
  ['mov x5, x6', 0xaa0603e5, 5],
  ['ldp x4, x5, [sp]', 0xa94017e4, 4],
  ['ldp x4, x5, [sp], the second', 0xa94017e4, 5],
  ['blr x8', 0xd63f0100, 5],
])('%s writes the register', (_, word, register) => {
  const registers = new Registers();
  registers.set(register, 0x1000, -1);
  registers.forgetWritten(word | 0);
  expect(registers.isKnown(register)).toBe(false);
});

test.each([
  ['str x5, [x6]', 0xf90000c5],
  ['stp x4, x5, [sp]', 0xa90017e4],
  ['ldr q5, [x6]', 0x3dc000c5],
  ['ret', 0xd65f03c0],
])('%s writes none', (_, word) => {
  const registers = new Registers();
  for (const register of [4, 5]) registers.set(register, 0x1000, -1);
  registers.forgetWritten(word | 0);
  expect([registers.isKnown(4), registers.isKnown(5)]).toEqual([true, true]);
});
