import { expect, test } from 'vitest';
import { LearnedTargets } from '../../src/delta/pointers/learned-targets.ts';

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
