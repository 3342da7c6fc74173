import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openMachine } from '../../src/cli/machine-options.ts';
import { describeOutcome } from '../../src/cli/upgrade.ts';
import { reasonOf } from '../../src/deploy/upgrade/reason.ts';
import { PineError } from '../../src/error.ts';
import { codeOfAsync } from '../support/code-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-words-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('what an upgrade says', () => {
  it('of what it fetched: a delta is no number of objects', () => {
    const outcome = (bytes: number, objects: number) =>
      describeOutcome({
        kind: 'armed',
        commit: 'ab'.repeat(32),
        version: '2',
        deployment: 'x',
        slot: 'b',
        fetched: { bytes, objects },
        rebooting: false,
      });
    expect(outcome(168_600, 0)).toMatch(/^fetched 168\.6 kB$/m);
    expect(outcome(168_600, 1)).toMatch(/^fetched 168\.6 kB, 1 object among it$/m);
    expect(outcome(168_600, 12)).toMatch(/^fetched 168\.6 kB, 12 objects among it$/m);
  });

  it('of a reason: one line, of bounded length, with the beginnings of checksums', () => {
    const checksum = '0123456789abcdef'.repeat(4);
    const reason = (found: string) =>
      reasonOf(
        new PineError('CORRUPT_DELTA', 'a delta is damaged', {
          expected: `SHA-256 ${checksum}`,
          found,
          where: `http://host/objects/01/${checksum.slice(2)}.filez`,
          remedy: 'none',
        }),
      );
    expect(reason('a\n\u001b[31mb')).toBe(
      'a delta is damaged: expected SHA-256 0123456789ab…, found a [31mb (http://host/objects/01/23456789abcd….filez)',
    );
    expect(reason('x'.repeat(10_000)).length).toBeLessThan(500);
  });
});

describe('a disk that is not there', () => {
  const [disk, state] = [join(folder, 'disk.img'), join(folder, 'state')];
  mkdirSync(state);
  writeFileSync(disk, '');

  it('is NOT_FOUND_FILE, and its folder NOT_FOUND_FOLDER', async () => {
    const nowhere = join(folder, 'nosuch');
    const file = await codeOfAsync(() => openMachine({ disk: nowhere, state }), 'NOT_FOUND_FILE');
    expect(file.details).toMatchObject({ expected: 'a disk image', where: nowhere });
    await codeOfAsync(() => openMachine({ disk: state, state }), 'NOT_FOUND_FILE');
    for (const wrong of [nowhere, disk]) {
      const error = await codeOfAsync(
        () => openMachine({ disk, state: wrong }),
        'NOT_FOUND_FOLDER',
      );
      expect(error.details.where).toBe(wrong);
      expect(error.exitStatus).toBe(9);
    }
  });
});
