import { expect, test } from 'vitest';
import { checkDelta } from '../../src/delta/check-delta.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { PlannedImage } from '../../src/delta/planned-image.ts';
import { layOutImage } from '../../src/image/layout.ts';
import type { ObjectSource } from '../../src/plan/object-source.ts';
import { encodePlan, openPlan } from '../../src/plan/plan-file.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import type { TreeNode } from '../../src/repo/tree.ts';
import { TreeMaker } from '../support/make-tree.ts';
import { MemoryDevice } from '../support/memory-device.ts';
import { imageBuffer } from '../support/write-image.ts';
import { sha256 } from './support/image-pair.ts';
import { memoryScratch } from './support/memory-scratch.ts';

type Files = Readonly<Record<string, string>>;

/** An image that is made as it is read, the same one in memory, and which objects were asked for. */
async function plannedImage(files: Files, digit: string) {
  const maker = new TreeMaker();
  const entries: Record<string, TreeNode> = {};
  for (const [name, content] of Object.entries(files)) entries[name] = maker.file(content);
  const layout = layOutImage(maker.directory(entries), 1_700_000_000);
  const bytes = await imageBuffer(layout, maker.objects);
  const read: string[] = [];
  const objects: ObjectSource = {
    open(checksum, length) {
      read.push(maker.contents.get(checksum)?.toString() ?? '');
      return maker.objects.open(checksum, length);
    },
  };
  const plan = await openPlan(bytesReader(Buffer.concat([...encodePlan(layout)])));
  const reader = await PlannedImage.open(
    plan,
    new MemoryDevice(Buffer.alloc(bytes.length)),
    objects,
  );
  const image = { size: bytes.length, sha256: sha256(bytes) };
  return { bytes, read, reader, end: { commit: digit.repeat(64), image, reader } };
}

const before = { a: 'first', b: 'the same', c: 'changed: no' };
const after = { a: 'first', b: 'the same', c: 'changed: yes' };

test('any part of an image is as if all of it had been written', async () => {
  const { bytes, reader } = await plannedImage(before, 'a');
  for (let from = 0; from < bytes.length; from += 7) {
    const part = await reader.read(from, Math.min(100, bytes.length - from));
    expect(part.equals(bytes.subarray(from, from + 100))).toBe(true);
  }
});

test('an encoder reads what changed, and nothing of what both images have', async () => {
  const [old, made] = [await plannedImage(before, 'a'), await plannedImage(after, 'b')];
  const { delta } = await encodeDelta(old.end, made.end);
  expect([old.read, made.read]).toEqual([[before.c], [after.c]]);
  await checkDelta(delta, old.reader, made.reader, memoryScratch());
});

test.each([
  ['where it copies', { ...before, a: 'other' }, after],
  ['where it patches', before, { ...after, c: 'changed: yet' }],
  ['where it copies what is not there', before, { ...after, b: 'not same' }],
])('a delta of other images is found out %s', async (_, wrongOld, wrongNew) => {
  const [old, made] = [await plannedImage(before, 'a'), await plannedImage(after, 'b')];
  const { delta } = await encodeDelta(old.end, made.end);
  const others = [await plannedImage(wrongOld, 'a'), await plannedImage(wrongNew, 'b')] as const;
  const [base, image] = [others[0].reader, others[1].reader];
  await expect(checkDelta(delta, base, image, memoryScratch())).rejects.toThrow(
    'makes another image',
  );
});
