import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLayout } from '../../src/disk/layout.ts';
import { leastDiskSize, placeLayout } from '../../src/disk/place-layout.ts';
import { PineError } from '../../src/error.ts';
import fc from '../support/fast-check.ts';

const mebibyte = 1 << 20;
const shipped = (name: string) =>
  readFileSync(new URL(`../../layouts/${name}`, import.meta.url), 'utf8');

const lines = [
  'label: gpt',
  'name="bios-grub", size=1MiB, type=21686148-6449-6E6F-744E-656564454649',
  'name="boot", size=8MiB',
  'name="root-a", size=64MiB',
  'name="root-b", size=64MiB',
  'name="swap", size=16MiB, type=S',
  'name="data"',
];

/** The good layout with one line replaced (from 1), or left out. */
function withLine(number: number, line?: string): string {
  const changed = [...lines];
  changed.splice(number - 1, 1, ...(line === undefined ? [] : [line]));
  return changed.join('\n');
}

function failure(text: string): PineError {
  try {
    parseLayout(text, 'test.cfg');
  } catch (error) {
    if (error instanceof PineError) return error;
    throw error;
  }
  throw new Error('the layout was taken');
}

describe('parseLayout', () => {
  it('takes the layouts that ship with pine', () => {
    expect(parseLayout(shipped('vm.cfg'), 'vm.cfg').slotSize).toBe(512 * mebibyte);
    const small = parseLayout(shipped('vm-small.cfg'), 'vm-small.cfg');
    expect(small.slotSize).toBe(352 * mebibyte);
    expect(leastDiskSize(small)).toBeLessThanOrEqual(1e9);
    expect(placeLayout(small, 1e9).at(-1)?.size).toBe(135 * mebibyte);
  });

  it('places partitions one after the other, from 1 MiB on', () => {
    const layout = parseLayout(lines.join('\n'), 'test.cfg');
    expect(
      layout.partitions.map(({ role, number, start, size }) => [role, number, start, size]),
    ).toEqual([
      ['bios-grub', 1, mebibyte, mebibyte],
      ['boot', 2, 2 * mebibyte, 8 * mebibyte],
      ['root-a', 3, 10 * mebibyte, 64 * mebibyte],
      ['root-b', 4, 74 * mebibyte, 64 * mebibyte],
      ['swap', 5, 138 * mebibyte, 16 * mebibyte],
      ['data', 6, 154 * mebibyte, undefined],
    ]);
  });

  it('takes sectors, KiB, MiB, GiB, spaces, comments and a dump of sfdisk', () => {
    const text = withLine(3, '# the next one\n/dev/vda2 : start = 4096 , size=16384, name=boot,');
    const boot = parseLayout(`${text}\n\nunit: sectors`.replace('1MiB', '1024K'), 'x')
      .partitions[1];
    expect(boot).toMatchObject({ start: 4096 * 512, size: 16384 * 512, line: 4 });
    expect(
      parseLayout(
        withLine(4, 'name="root-a", size=1G').replace(
          '"root-b", size=64MiB',
          '"root-b", size=1GiB',
        ),
        'x',
      ).slotSize,
    ).toBe(2 ** 30);
  });

  const wrong: readonly [what: string, text: string, line: number, found: RegExp][] = [
    ['no label', withLine(1), 1, /none/],
    ['another label', withLine(1, 'label: dos'), 1, /dos/],
    ['an unknown header', withLine(1, 'label: gpt\ngrain: 4M'), 2, /grain/],
    ['an unknown role', withLine(6, 'name="home", size=16MiB'), 6, /home/],
    ['no role', withLine(6, 'size=16MiB'), 6, /no name/],
    ['a role twice', withLine(6, 'name="boot", size=16MiB'), 6, /line 3/],
    ['no boot', withLine(3), 6, /none/],
    ['no slot', withLine(5), 6, /none/],
    ['no data', withLine(7), 6, /none/],
    ['no boot loader', withLine(2), 6, /neither/],
    ['slots of unequal size', withLine(5, 'name="root-b", size=65MiB'), 5, /67108864 and 68157440/],
    [
      'a boot partition without room for arguments',
      withLine(3, 'name="boot", size=2MiB'),
      3,
      /2097152/,
    ],
    ['too little data', withLine(7, 'name="data", size=10MiB'), 7, /10485760/],
    ['an overlap', withLine(5, 'name="root-b", start=30M, size=64MiB'), 5, /root-a/],
    [
      'a partition behind data that takes the rest',
      `${lines.join('\n')}\nname="esp", start=1GiB, size=8MiB, type=U`,
      8,
      /data/,
    ],
    [
      'a partition in the partition table',
      withLine(3, 'name="boot", start=8, size=8MiB'),
      3,
      /4096/,
    ],
    ['a slot without size', withLine(4, 'name="root-a"'), 4, /none/],
    ['a wrong type', withLine(6, 'name="swap", size=16MiB, type=L'), 6, /0FC63DAF/],
    ['a type that is none', withLine(6, 'name="swap", size=16MiB, type=Q'), 6, /Q/],
    ['a wrong size', withLine(3, 'name="boot", size=8MB'), 3, /8MB/],
    ['a negative size', withLine(3, 'name="boot", size=-8'), 3, /-8/],
    ['a size that is no multiple of 4 KiB', withLine(3, 'name="boot", size=16385'), 3, /16385/],
    ['a size beyond all numbers', withLine(3, 'name="boot", size=999999999999999G'), 3, /999/],
    ['a field twice', withLine(3, 'name="boot", size=8M, size=9M'), 3, /second/],
    ['an unknown field', withLine(3, 'name="boot", size=8M, bootable=yes'), 3, /bootable/],
    ['nonsense', withLine(3, 'here be dragons'), 3, /dragons/],
    ['an open quote', withLine(3, 'name="boot, size=8M'), 3, /boot/],
    ['a uuid that is none', withLine(3, 'name="boot", size=8M, uuid=7'), 3, /7/],
    ['a number out of order', withLine(3, '/dev/vda7 : name="boot", size=8M'), 3, /vda7/],
    ['nothing', '', 1, /none/],
  ];
  it.each(wrong)('refuses %s, with the line', (_, text, line, found) => {
    const error = failure(text);
    expect(error.code).toBe('INPUT_LAYOUT');
    expect(error.details.where).toBe(`test.cfg, line ${line}`);
    expect(error.details.found).toMatch(found);
  });

  it('ends in INPUT_LAYOUT or a layout, whatever it is given', () => {
    const piece = fc.oneof(
      fc.constantFrom(...lines),
      fc.string(),
      fc.constantFrom('=', '"', ',', ':', '\n'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parseLayout(pieces.join('\n'), 'x');
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT_LAYOUT' });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('placeLayout', () => {
  it('S10: says by how many bytes a disk is too small', () => {
    const layout = parseLayout(shipped('vm-small.cfg'), 'vm-small.cfg');
    const least = leastDiskSize(layout);
    expect(placeLayout(layout, least).at(-1)?.size).toBe(64 * mebibyte);
    expect(() => placeLayout(layout, least - 512)).toThrow(
      expect.objectContaining({
        code: 'SPACE_DISK',
        details: expect.objectContaining({ found: expect.stringContaining(': 512 too few') }),
      }),
    );
  });
});
