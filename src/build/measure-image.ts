import { type ImageLayout, layOutImage } from '../image/layout.ts';
import type { Segment } from '../plan/segment.ts';
import type { Progress } from '../ports/progress.ts';
import type { Promised } from '../repo/pine-metadata.ts';
import type { Threads } from '../repo/threads/threads.ts';
import { checkContent } from '../repo/write-file-object.ts';
import { hashImage } from './image-promise.ts';
import { countBytes, filesOf, hashFiles, type MeasuredTree, nameFiles } from './measure.ts';
import type { SourceDirectory, SourceFile } from './source-node.ts';

/** A measured tree with its image. */
export interface MeasuredImage {
  readonly tree: MeasuredTree;
  readonly layout: ImageLayout;
  /** Size and SHA-256 of the image. */
  readonly image: Promised;
}

/**
 * Hashes every file of a tree and its image in one reading, on threads. Nothing is written.
 *
 * Where a file lies in the image hangs on which files are equal, not on what is in them. Only files
 * of the same size can be: those are read first. All others have stand-ins for their checksums until
 * the image is hashed, and get them out of the same bytes.
 *
 * `check` is given the image's size before the long part, and may throw.
 * Throws as `layOutImage` and the contents do; a file that is read again and has changed is INPUT_FILE_CHANGED.
 */
export async function measureImage(
  root: SourceDirectory,
  time: number,
  threads: Threads,
  progress: Progress = () => {},
  check: (size: number) => void = () => {},
): Promise<MeasuredImage> {
  const files = filesOf(root);
  const alike = filesAlike(files);
  const read = countBytes([...alike.keys(), ...files.keys()], progress);
  const checksums = await hashFiles(alike, threads, read);
  const standIns = new Map<SourceFile, string>();
  for (const file of files.keys()) {
    standIns.set(file, checksums.get(file) ?? standIn(standIns.size));
  }
  const expected = nameFiles(root, standIns);
  const layout = layOutImage(expected.root, time);
  check(layout.size);

  const names = new Map<string, string>();
  const image = await hashImage(layout, threads, (name) => {
    const file = expected.files.get(name);
    if (file === undefined) throw new Error(`the tree has no object ${name}`);
    read(file.content.size);
    const known = checksums.get(file);
    const done = (digest: string) => {
      if (known !== undefined) checkContent(digest, known, 'the tree');
      names.set(name, digest);
      checksums.set(file, digest);
    };
    return { ...file.content, prefix: files.get(file) ?? Buffer.of(), done };
  });
  if (new Set(names.values()).size !== names.size) {
    throw new Error('files of different sizes have the same checksum');
  }
  return { tree: nameFiles(root, checksums), layout: named(layout, names), image };
}

/** Files that others could be equal to; and empty ones, which have no place in an image. */
function filesAlike(files: ReadonlyMap<SourceFile, Buffer>): Map<SourceFile, Buffer> {
  const counts = new Map<number, number>();
  for (const { content } of files.keys()) {
    counts.set(content.size, (counts.get(content.size) ?? 0) + 1);
  }
  return new Map(
    [...files].filter(([{ content }]) => content.size === 0 || counts.get(content.size) !== 1),
  );
}

/** What has the place of a checksum until it is known. No digest begins with so many zeros. */
function standIn(number: number): string {
  return number.toString(16).padStart(64, '0');
}

/** The same layout with the checksums that are known now. It keeps nothing else of the work alive. */
function named({ size, segments }: ImageLayout, names: ReadonlyMap<string, string>): ImageLayout {
  return { size, segments: { [Symbol.iterator]: () => withNames(segments, names) } };
}

function* withNames(
  segments: Iterable<Segment>,
  names: ReadonlyMap<string, string>,
): Generator<Segment, undefined> {
  for (const segment of segments) {
    if (segment.kind !== 'object') yield segment;
    else yield { ...segment, checksum: names.get(segment.checksum) ?? segment.checksum };
  }
}
