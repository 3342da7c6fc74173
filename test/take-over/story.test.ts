import { describe, expect, it } from 'vitest';
import { formatKept, parseKept } from '../../src/take-over/kept.ts';
import { formatRecord, parseRecord, type TakeOverRecord } from '../../src/take-over/record.ts';
import {
  formatStory,
  parseStory,
  storyHead,
  storyOf,
  tellStory,
} from '../../src/take-over/story.ts';

const record: TakeOverRecord = {
  ...{ id: '0123456789abcdef', time: 1_700_000_000, deployment: 'c0ffee' },
  ...{ system: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0-9', hostName: 'vps' },
  ...{ remote: 'https://e.org/r', ref: 'alpine/web', commit: 'c'.repeat(64) },
  ...{ confirmAfter: 600, deadline: 1800, disk: '/dev/vda', storyAt: 524_288 },
};
const text = [
  '100 prepare fetch and verify',
  '160 prepare build',
  '200 prepared',
  '300 start staged',
  '301 step check',
  '310 first-write',
  '310 step shrink',
  '500 start writing',
  '501 step shrink',
  '521 step write slot',
  '581 commitment',
  '581 step write committed-sector',
  '582 done',
  '',
].join('\n');

describe('a record of a take-over', () => {
  it('is what it was when it is read back, without what it has not', () => {
    expect(parseRecord(formatRecord(record))).toEqual(record);
    const without = { ...record, confirmAfter: undefined, storyAt: undefined };
    expect(parseRecord(formatRecord(without))).toEqual(without);
  });

  it('has one line for each value, whatever a host is called', () => {
    const said = formatRecord({ ...record, hostName: 'a\nconfirm_after=0\n\x1b[2J' });
    expect(said.match(/^confirm_after=/gm)).toHaveLength(1);
    expect(parseRecord(said)).toMatchObject({ hostName: 'a?confirm_after=0??[2J' });
  });

  it.each([
    ['id', '0123'],
    ['time', 'now'],
    ['deadline', ''],
    ['deployment', '../x'],
  ])('is none when %s is %j', (name, value) => {
    const said = formatRecord(record).replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`);
    expect(parseRecord(said)).toBeUndefined();
  });
});

describe('a story', () => {
  it('tells how long each step took, by starts, and which start was cut', () => {
    expect(tellStory(parseStory(text))).toEqual({
      preparation: [
        { name: 'fetch and verify', seconds: 60 },
        { name: 'build', seconds: 40 },
      ],
      runs: [
        {
          ...{ time: 300, end: 'cut' },
          steps: [
            { name: 'check', seconds: 9 },
            { name: 'shrink', seconds: undefined },
          ],
        },
        {
          ...{ time: 500, end: 'done' },
          steps: [
            { name: 'shrink', seconds: 20 },
            { name: 'write slot', seconds: 60 },
            { name: 'write committed-sector', seconds: 1 },
          ],
        },
      ],
    });
    const stopped = tellStory(parseStory('1 start staged\n2 step shrink\n9 stopped e2fsck: no\n'));
    expect(stopped.runs[0]).toMatchObject({ end: 'stopped', reason: 'e2fsck: no' });
  });

  it('is read from the disk if it is that of this take-over, up to where a cut tore it', () => {
    const place = Buffer.alloc(65_536);
    place.write(`${storyHead(record.id)}${text}`);
    expect(formatStory(storyOf(place, record.id))).toBe(text);
    expect(storyOf(place, 'f'.repeat(16))).toEqual([]);
    expect(storyOf(Buffer.alloc(65_536), record.id)).toEqual([]);
    place.fill(0, 120, 180);
    const torn = storyOf(place, record.id);
    expect(torn.length).toBeGreaterThan(5);
    expect(text).toContain(formatStory(torn.slice(0, 3)));
  });

  it('is kept with how the first trial was confirmed', () => {
    const story = parseStory(text);
    const confirmed = { time: 700, by: 'a login of root\nid=x' };
    const kept = parseKept(formatKept({ record, story, confirmed }));
    expect(kept).toEqual({ record, story, confirmed: { time: 700, by: 'a login of root?id=x' } });
    expect(parseKept(formatKept({ record, story: [], confirmed: undefined }))).toEqual({
      ...{ record, story: [], confirmed: undefined },
    });
    expect(parseKept('nonsense')).toBeUndefined();
  });
});
