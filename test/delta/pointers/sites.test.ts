import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pointerClass } from '../../../src/delta/pointers/pointer-class.ts';
import { pageSize, Sites } from '../../../src/delta/pointers/sites.ts';
import { valueForm } from '../../../src/delta/pointers/value-form.ts';

/** Sites of four or eight bytes at these places. */
function sitesAt(places: readonly number[]): Sites {
  const sites = new Sites();
  for (const at of places) {
    const form = at % 3 === 0 ? valueForm.address : valueForm.fromSite;
    sites.add(at, pointerClass.call, form, 0);
  }
  return sites;
}

test('whatever order sites are in, the ones that have some of the bytes are among those that are told', () => {
  const places = fc.array(fc.nat(pageSize - 1), { maxLength: 60 });
  const arrangement = fc.tuple(places, fc.boolean(), fc.nat(pageSize), fc.nat(pageSize));
  fc.assert(
    fc.property(arrangement, ([given, isSorted, from, to]) => {
      const sites = sitesAt(isSorted ? given.toSorted((a, b) => a - b) : given);
      const [first, end] = [sites.firstAt(from), sites.endAt(to)];
      for (let index = 0; index < sites.count; index++) {
        const at = sites.at[index] ?? 0;
        const hasSome = at < to && at + (sites.width[index] ?? 0) > from;
        if (hasSome) expect(index >= first && index < end, `${index}`).toBe(true);
      }
    }),
  );
});

test('of sites in order only those close by are told; of others all are, until they are cleared', () => {
  const sites = sitesAt([0, 100, 200, 300, 400]);
  expect([sites.isInOrder, sites.firstAt(207), sites.endAt(400)]).toEqual([true, 2, 4]);
  expect([sites.firstAt(0), sites.endAt(pageSize)]).toEqual([0, 5]);
  sites.add(399, pointerClass.call, valueForm.fromSite, 0);
  expect([sites.isInOrder, sites.firstAt(207), sites.endAt(400)]).toEqual([false, 0, 6]);
  sites.clear();
  expect([sites.isInOrder, sites.count]).toEqual([true, 0]);
});
