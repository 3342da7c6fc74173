import { PineError } from '../../error.ts';
import { formatMarks, type Marks, marksFile, marksLimit, parseMarks } from '../../etc/marks.ts';
import { replaceFile } from '../durable-file.ts';
import type { Machine } from '../machine.ts';

/** The paths that are pinned as local. Throws CORRUPT_ETC_MARKS. */
export async function readMarks({ files, data }: Machine): Promise<Marks> {
  const path = marksFile(data);
  const bytes = await files.readFile(path, marksLimit);
  if (bytes === undefined) return [];
  const marks = parseMarks(bytes);
  if (marks !== undefined) return marks;
  throw new PineError('CORRUPT_ETC_MARKS', 'the list of marked paths is damaged', {
    expected: 'a list as `pinectl etc mark` writes it',
    found: 'something else',
    where: path,
    remedy: 'remove the file and mark the paths again',
  });
}

/** Replaces the list, durably. */
export async function writeMarks({ files, data }: Machine, marks: Marks): Promise<void> {
  await replaceFile(files, marksFile(data), formatMarks(marks));
}
