import { expect, test } from 'vitest';
import { CopyList } from '../../../../src/delta/match/copy-list.ts';
import { coverOld } from '../../../../src/delta/pointers/predict/coverage.ts';
import { generator } from '../../support/small-elf.ts';

test('an old byte belongs to the longest copy that has it', () => {
  const random = generator(3);
  for (let round = 0; round < 200; round++) {
    const copies = CopyList.from(
      Array.from({ length: random() % 12 }, (_, index) => ({
        newStart: 1000 * index,
        oldStart: random() % 200,
        length: 1 + (random() % 80),
      })),
    );
    const { start, end, copy, count } = coverOld(copies);
    const found = new Map<number, number>();
    for (let range = 0; range < count; range++) {
      if (range > 0) expect(start[range]).toBeGreaterThanOrEqual(end[range - 1] ?? 0);
      for (let at = start[range] ?? 0; at < (end[range] ?? 0); at++)
        found.set(at, copy[range] ?? -1);
    }
    for (let at = 0; at < 300; at++) {
      let best = -1;
      for (let index = 0; index < copies.count; index++) {
        const { oldStart, length } = copies.at(index);
        const isInside = at >= oldStart && at < oldStart + length;
        if (isInside && (best < 0 || length > copies.at(best).length)) best = index;
      }
      expect(found.get(at) ?? -1).toBe(best);
    }
  }
});
