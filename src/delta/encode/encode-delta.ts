import type { Progress } from '../../ports/progress.ts';
import type { DeltaEnd } from '../format/header.ts';
import { compressDelta, type Effort, type UnsignedDelta } from './compress.ts';
import { type Contribution, DeltaEncoder } from './delta-encoder.ts';
import { type ImageReader, takeApart } from './image-files.ts';
import { References } from './references.ts';

/** A commit's image, to be read. */
export interface ImageEnd extends DeltaEnd {
  readonly reader: ImageReader;
}

export interface EncodeOptions {
  readonly progress?: Progress | undefined;
  readonly effort?: Effort | undefined;
}

/**
 * Makes the delta from one image to another. The same images give the same bytes.
 *
 * Memory: the streams, and a pair of files at a time with an index (about five times the old one's
 * size, at most `longestPart` of it).
 */
export async function encodeDelta(
  from: ImageEnd,
  to: ImageEnd,
  { progress, effort }: EncodeOptions = {},
): Promise<{ readonly delta: UnsignedDelta; readonly contributions: readonly Contribution[] }> {
  const encoder = new DeltaEncoder(from.reader, to.reader);
  const old = await takeApart(from.reader, from.image);
  const parts = await takeApart(to.reader, to.image);
  const references = new References(old.files, from.reader);
  await encoder.addChanged(parts.superblock, old.superblock);
  for (const file of parts.files) {
    const same = await references.same(file, to.reader);
    if (same === undefined) await encoder.addChanged(file, references.similar(file));
    else encoder.addExtent(same.offset, same.size);
    progress?.(file.offset + file.size, to.image.size, 'comparing');
  }
  await encoder.addChanged(parts.tables, old.tables);
  const sinks = encoder.finish();
  return {
    delta: await compressDelta(from, to, sinks, effort),
    contributions: encoder.contributions,
  };
}
