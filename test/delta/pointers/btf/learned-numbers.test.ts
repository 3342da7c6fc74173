import { expect, test } from 'vitest';
import { LearnedNumbers } from '../../../../src/delta/pointers/btf/learned-numbers.ts';

test('a number goes up as the nearest one below that is known, else as the nearest above', () => {
  const numbers = new LearnedNumbers(0, 10);
  expect(numbers.shiftOf(100)).toBe(0);
  numbers.learn(100, 5);
  numbers.learn(120, -7);
  expect([99, 100, 119, 120, 152].map((number) => numbers.shiftOf(number))).toEqual([
    5, 5, 5, -7, -7,
  ]);
  // 32 below the first one, and farther from both than that: as the last one.
  expect([68, 67, 153].map((number) => numbers.shiftOf(number))).toEqual([5, -7, -7]);
  numbers.learn(100, 0);
  expect([100, 67].map((number) => numbers.shiftOf(number))).toEqual([0, 0]);
});

test('numbers of a block go up alike, and so do those so far apart that they share a place', () => {
  const numbers = new LearnedNumbers(4, 10);
  numbers.learn(0x1230, 9);
  expect(numbers.shiftOf(0x123f)).toBe(9);
  numbers.learn(0x1230 + 2 ** 14, 4);
  expect(numbers.shiftOf(0x1235)).toBe(4);
});

test('what went up by 2^31 is not known, and sums are modulo 2^32', () => {
  const numbers = new LearnedNumbers(0, 10);
  numbers.learn(50, 3);
  numbers.learn(51, 2 ** 31);
  expect(numbers.shiftOf(51)).toBe(3);
  expect(numbers.shiftOf(400)).toBe(-(2 ** 31));
  numbers.learn(51, -(2 ** 32) + 1);
  expect(numbers.shiftOf(51)).toBe(1);
});

test('all of it is forgotten, or becomes what another one knows', () => {
  const [one, other] = [new LearnedNumbers(0, 10), new LearnedNumbers(0, 10)];
  one.learn(7, 70);
  other.become(one);
  one.learn(7, 71);
  expect(other.shiftOf(7)).toBe(70);
  other.become(one);
  expect(other.shiftOf(8)).toBe(71);
  one.clear(12);
  expect(one.shiftOf(7)).toBe(12);
  other.become(new LearnedNumbers(0, 10));
  expect(other.shiftOf(7)).toBe(0);
});
