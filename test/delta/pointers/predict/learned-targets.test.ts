import { expect, test } from 'vitest';
import { LearnedTargets } from '../../../../src/delta/pointers/predict/learned-targets.ts';

test('of targets that share a place the newest is known, and only that one is forgotten', () => {
  const learned = new LearnedTargets();
  expect(learned.find(0x1000)).toBeUndefined();
  learned.set(0x1000, 0x1040);
  expect(learned.find(0x1000)).toBe(0x1040);
  // 2^32 apart: the same place.
  const other = 0x1000 + 2 ** 32;
  learned.forget(other);
  expect(learned.find(0x1000)).toBe(0x1040);
  learned.set(other, 7);
  expect([learned.find(0x1000), learned.find(other)]).toEqual([undefined, 7]);
  learned.forget(other);
  expect(learned.find(other)).toBeUndefined();
});

test('what one address of a block was off by is known of the whole block', () => {
  const learned = new LearnedTargets();
  expect(learned.shiftNear(0x5010)).toBe(0);
  learned.setShift(0x5010, 0x40);
  expect([learned.shiftNear(0x5fff), learned.shiftNear(0x6000)]).toEqual([0x40, 0]);
  learned.setShift(0x5800, -8);
  expect(learned.shiftNear(0x5010)).toBe(-8);
});

test('only what makes a prediction another one is a change', () => {
  const learned = new LearnedTargets();
  const changed = (learn: () => void): boolean => {
    const before = learned.changes;
    learn();
    return learned.changes !== before;
  };
  expect(changed(() => learned.forget(0x1000))).toBe(false);
  expect(changed(() => learned.set(0x1000, 0x1040))).toBe(true);
  expect(changed(() => learned.set(0x1000, 0x1040))).toBe(false);
  expect(changed(() => learned.set(0x1000, 0x1080))).toBe(true);
  expect(changed(() => learned.setShift(0x1000, 0))).toBe(false);
  expect(changed(() => learned.setShift(0x1000, 8))).toBe(true);
  expect(changed(() => learned.setShift(0x1010, 8))).toBe(false);
  expect(changed(() => learned.forget(0x1000))).toBe(true);
});
