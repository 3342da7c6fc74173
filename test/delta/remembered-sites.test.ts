import { expect, test } from 'vitest';
import { RememberedSites } from '../../src/delta/encode/remembered-sites.ts';
import type { Elf } from '../../src/delta/pointers/elf/elf.ts';
import { pointerClass } from '../../src/delta/pointers/pointer-class.ts';
import { maxSites, pageSize, Sites } from '../../src/delta/pointers/sites.ts';
import { valueForm } from '../../src/delta/pointers/value-form.ts';

const elf: Elf = {
  machine: 'x86-64',
  isFixed: false,
  segments: [],
  sections: [],
  frameIndex: undefined,
  symbols: undefined,
  names: undefined,
};

test('sites are found once, and are the same again, however many a page has', () => {
  let asked = 0;
  // What lies together is full when a page without any comes.
  const countIn = (number: number): number => (number < 16 ? maxSites : 0);
  const find = (_: Uint8Array, start: number, sites: Sites): void => {
    asked++;
    sites.clear();
    for (let at = 0; at < countIn(start / pageSize); at++) {
      sites.add(4 * at, pointerClass.call, valueForm.fromSite, start + at, at + 1, -at);
    }
    // Of sections that overlap.
    sites.isInOrder = start % (2 * pageSize) === 0;
  };
  const pages = 17;
  const remembered = new RememberedSites({ elf, find }, pages * pageSize - 1);
  const page = new Uint8Array(pageSize);
  const [expected, found] = [new Sites(), new Sites()];
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < pages; number++) {
      find(page, number * pageSize, expected);
      remembered.find(page, number * pageSize, found);
      expect([found.count, found.isInOrder]).toEqual([expected.count, expected.isInOrder]);
      for (const name of ['at', 'kind', 'width', 'form', 'extra', 'target', 'base'] as const) {
        expect(found[name].subarray(0, found.count)).toEqual(
          expected[name].subarray(0, expected.count),
        );
      }
    }
  }
  expect(asked).toBe(3 * pages);
});
