import { describe, expect, test } from 'vitest';
import { findFileExtents } from '../../../../src/install/hijack/take-over/file-extents.ts';

const head = `Filesystem type is: ef53
File size of /boot/x is 40960 (10 blocks of 4096 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
`;
const find = (lines: string) => findFileExtents({ report: async () => lines }, '/boot/x', 4096);

describe('where a file lies', () => {
  test('is said in order, in blocks', async () => {
    const lines = `${head}   0:        0..       3:      34816..     34819:      4:
   1:        4..       9:     300000..    300005:      6:      34820: last,eof
/boot/x: 2 extents found`;
    expect(await find(lines)).toEqual([
      { start: 34816, count: 4 },
      { start: 300000, count: 6 },
    ]);
  });

  test('is asked once it is on the disk: before, its last piece may lie nowhere', async () => {
    const place = (flags: string) =>
      `${head}   0:        0..       3:      34816..     34819:      4:  ${flags}`;
    const report = async (_program: string, args: readonly string[]) =>
      place(args.includes('-s') ? 'last,eof' : 'last,unknown_loc,delalloc,eof');
    expect(await findFileExtents({ report }, '/boot/x', 4096)).toEqual([
      { start: 34816, count: 4 },
    ]);
  });

  test.each([
    ['a hole', '   0:        2..       3:      34816..     34817:      2:             last,eof'],
    [
      'no place yet',
      '   0:        0..       3:          0..         3:      4:  last,unknown_loc,delalloc,eof',
    ],
    ['its inode', '   0:        0..       3:          0..         3:      4:  last,inline,eof'],
    ['nothing that filefrag knows', ''],
  ])('is not guessed: %s', async (_name, line) => {
    await expect(find(`${head}${line}`)).rejects.toMatchObject({
      code: 'PROGRAM_UNEXPECTED',
      details: { where: '/boot/x' },
    });
  });
});
