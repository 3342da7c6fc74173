import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import { storyOf, storySize, tellStory } from '../../../../src/take-over/story.ts';

const id = '0123456789abcdef';
const storyAt = 65_536;
let folder: string;
let disk: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-story-'));
  disk = join(folder, 'disk');
  writeFileSync(disk, Buffer.alloc(3 * storySize));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** One start of the installer, of which only what it keeps of itself is run. */
function start(stage: string, ...lines: string[]): void {
  const script = readAsset('src/install/hijack/take-over/installer.sh');
  const [, functions = ''] = /^(note\(\) \{$.*?)^restart\(\) \{$/ms.exec(script) ?? [];
  const text = [
    functions,
    `: >/story; stage=${stage} id=${id} story_at=${storyAt} disk=`,
    `note start "$stage"; disk='${disk}'; read_story`,
    ...lines,
  ].join('\n');
  execFileSync('sh', ['-ec', text.replaceAll('/story', join(folder, 'story'))]);
}

const kept = () => storyOf(readFileSync(disk).subarray(storyAt, storyAt + storySize), id);

test('nothing is kept before the first write, and then all starts are', () => {
  const before = readFileSync(disk);
  start('staged', 'note step check', 'note stopped "it is damaged"');
  expect(readFileSync(disk)).toEqual(before);
  start('staged', 'note step check', 'stage=writing', 'note first-write', 'note step shrink');
  start('writing', 'note step shrink', "note step 'write slot'", 'note commitment', 'note done');
  const { runs } = tellStory(kept());
  expect(runs.map(({ end, steps }) => [end, ...steps.map(({ name }) => name)])).toEqual([
    ['cut', 'check', 'shrink'],
    ['done', 'shrink', 'write slot'],
  ]);
  const bytes = readFileSync(disk);
  expect(bytes.length).toBe(before.length);
  expect(bytes.subarray(0, storyAt).every((byte) => byte === 0)).toBe(true);
  expect(bytes.subarray(storyAt + storySize).every((byte) => byte === 0)).toBe(true);
});

test('the story of another take-over is not gone on with, and nothing of it stays', () => {
  const other = Buffer.alloc(storySize, 'x\n');
  other.write(`pine-hijack 1 ${'f'.repeat(16)}\n`);
  const bytes = readFileSync(disk);
  other.copy(bytes, storyAt);
  writeFileSync(disk, bytes);
  start('writing', "note stopped 'e2fsck: \u0007 no'");
  expect(kept()).toMatchObject([{ kind: 'start' }, { kind: 'stopped', text: 'e2fsck:  no' }]);
  expect(readFileSync(disk).subarray(storyAt).includes('x')).toBe(false);
});

test('what does not fit is left out', () => {
  const nearlyFull = "head -c 65400 /dev/zero | tr '\\0' '\\n' >>/story";
  start('writing', 'note step shrink', nearlyFull, 'note step fits', `note step ${'x'.repeat(99)}`);
  expect(kept().map(({ text }) => text)).toEqual(['writing', 'shrink', 'fits']);
  expect(readFileSync(disk).length).toBe(3 * storySize);
});
