import { PineError } from '../../../error.ts';
import type { Host } from '../host.ts';

/** A run of a file's blocks; `start` is where it lies in its file system, both in blocks. */
export interface FileExtent {
  readonly start: number;
  readonly count: number;
}

/**
 * Where a file lies in its file system, in order, in blocks of `blockSize` bytes, as `filefrag -v` says. Throws
 * PROGRAM_UNEXPECTED for a file that has holes, or lies nowhere.
 */
export async function findFileExtents(
  host: Pick<Host, 'report'>,
  path: string,
  blockSize: number,
): Promise<FileExtent[]> {
  // -s: what was just written has its place only once it is on the disk.
  const said = (await host.report('filefrag', ['-s', `-b${blockSize}`, '-v', path])) ?? '';
  const extents: FileExtent[] = [];
  let next = 0;
  // `   0:        0..       7:    5678..      5685:      8:             last,eof`
  for (const [line, first, last, start] of said.matchAll(
    /^\s*\d+:\s+(\d+)\.\.\s*(\d+):\s+(\d+)\.\..*$/gm,
  )) {
    if (Number(first) !== next || /inline|unknown|delalloc|encoded|not_aligned/.test(line)) {
      throw noPlace(path, blockSize, line.trim());
    }
    next = Number(last) + 1;
    extents.push({ start: Number(start), count: next - Number(first) });
  }
  if (extents.length === 0) throw noPlace(path, blockSize, said.split('\n').slice(-3).join('; '));
  return extents;
}

/** Throws PROGRAM_UNEXPECTED: what lies at a place is not what was written there. */
export function noPlace(path: string, blockSize: number, found: string): PineError {
  return new PineError('PROGRAM_UNEXPECTED', 'where a file lies on the disk could not be found', {
    expected: 'filefrag to say where it lies',
    found: found || 'nothing',
    where: path,
    remedy: `report this, with what \`filefrag -b${blockSize} -v ${path}\` says`,
  });
}
