import { closeSync, openSync, writeSync } from 'node:fs';
import { type ImageLayout, layOutImage } from '../../src/image/layout.ts';
import { imageBytes } from '../../src/plan/image-bytes.ts';
import type { ObjectSource } from '../../src/plan/object-source.ts';
import type { ScannedDirectory } from './scan-directory.ts';

/** The commit time of all test images. */
export const imageTime = 1_700_000_000;

/** Writes the image of a scanned directory to a file. */
export async function writeImage(
  { root, objects }: ScannedDirectory,
  file: string,
): Promise<ImageLayout> {
  const layout = layOutImage(root, imageTime);
  const output = openSync(file, 'w');
  for await (const bytes of imageBytes({ segments: layout.segments, objects })) {
    writeSync(output, bytes);
  }
  closeSync(output);
  return layout;
}

/** The bytes of an image, in memory. */
export async function imageBuffer(layout: ImageLayout, objects: ObjectSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const bytes of imageBytes({ segments: layout.segments, objects })) {
    chunks.push(Uint8Array.from(bytes));
  }
  return Buffer.concat(chunks);
}
