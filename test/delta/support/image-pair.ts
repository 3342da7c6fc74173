import { createHash } from 'node:crypto';
import { type DeltaFile, openDelta } from '../../../src/delta/decode/delta-file.ts';
import { deltaSegments } from '../../../src/delta/decode/delta-segments.ts';
import type { UnsignedDelta } from '../../../src/delta/encode/compress.ts';
import type { ImageEnd } from '../../../src/delta/encode/encode-delta.ts';
import type { Scratch } from '../../../src/delta/recompress/scratch.ts';
import { PineError } from '../../../src/error.ts';
import { layOutImage } from '../../../src/image/layout.ts';
import { imageBytes } from '../../../src/plan/image-bytes.ts';
import { bytesReader, type PositionedReader } from '../../../src/ports/positioned-reader.ts';
import type { TreeNode } from '../../../src/repo/tree.ts';
import { TreeMaker } from '../../support/make-tree.ts';
import { imageBuffer } from '../../support/write-image.ts';
import { memoryScratch } from './memory-scratch.ts';

/** An image in memory with what a delta says of it. `digit` makes its commit's checksum. */
export interface TestImage extends ImageEnd {
  readonly bytes: Buffer;
}

export async function makeImage(
  files: Readonly<Record<string, string | Uint8Array>>,
  digit: string,
): Promise<TestImage> {
  const maker = new TreeMaker();
  const entries: Record<string, TreeNode> = {};
  for (const [name, content] of Object.entries(files)) entries[name] = maker.file(content);
  const layout = layOutImage(maker.directory(entries), 1_700_000_000);
  const bytes = await imageBuffer(layout, maker.objects);
  return {
    bytes,
    commit: digit.repeat(64),
    image: { size: bytes.length, sha256: sha256(bytes) },
    reader: bytesReader(bytes),
  };
}

/** The file of a delta without signatures. */
export function deltaBytes({ header, payload }: UnsignedDelta): Buffer {
  return Buffer.concat([header, Buffer.alloc(4), ...payload]);
}

export function openBytes(bytes: Buffer): Promise<DeltaFile> {
  return openDelta(bytesReader(bytes), undefined, 'test.delta');
}

/** What a delta makes of a base, and how many bytes came from where. */
export async function applyDelta(
  delta: DeltaFile,
  base: PositionedReader,
  scratch: Scratch = memoryScratch(),
) {
  const kinds = { zeros: 0, literal: 0, range: 0, object: 0 };
  const counted = async function* () {
    for await (const segment of deltaSegments(delta, base, scratch)) {
      kinds[segment.kind] += segment.length;
      yield segment;
    }
  };
  const pieces: Buffer[] = [];
  const objects = new TreeMaker().objects;
  for await (const bytes of imageBytes({ segments: counted(), objects, base })) {
    pieces.push(Buffer.from(bytes));
  }
  return { bytes: Buffer.concat(pieces), kinds };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The code of the PineError that something ends in; `none` when it ends well. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (error instanceof PineError) return error.code;
    throw error;
  }
}
