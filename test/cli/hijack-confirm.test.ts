import { expect, test } from 'vitest';
import { confirmationOf, describeConfirmation } from '../../src/cli/hijack-confirmation.ts';
import { parseDuration } from '../../src/cli/parse-duration.ts';
import { describeTakeOver } from '../../src/cli/take-over-text.ts';
import type { TakeOverRecord } from '../../src/take-over/record.ts';
import { tellStory } from '../../src/take-over/story.ts';
import { codeOf } from '../support/code-of.ts';
import { Pinectl } from './support/pinectl.ts';

test('a duration has a unit or is seconds, a day at most', () => {
  expect(['0', '90', '90s', '10m', '2h', '24h'].map(parseDuration)).toEqual([
    ...[0, 90, 90, 600, 7200, 86_400],
  ]);
  for (const text of ['', '-1', '1.5h', '25h', '90000', '1d', 'h', '1 h', '٣']) {
    expect(() => parseDuration(text)).toThrow(/duration/);
  }
});

test('a try has half an hour, or what is asked for, and more than --confirm-after', () => {
  expect(confirmationOf({})).toEqual({ after: undefined, deadline: 1800 });
  expect(confirmationOf({ confirmAfter: 0 })).toEqual({ after: 0, deadline: 1800 });
  expect(confirmationOf({ confirmAfter: 7200 })).toEqual({ after: 7200, deadline: 7800 });
  expect(confirmationOf({ loginWithin: 120 })).toEqual({ after: undefined, deadline: 120 });
  const bad = [
    { loginWithin: 119 },
    { confirmAfter: 600, loginWithin: 700 },
    { confirmAfter: 86_400 },
  ];
  for (const options of bad) codeOf(() => confirmationOf(options), 'USAGE_COMMAND_LINE');
  expect(describeConfirmation({ after: 600, deadline: 1800 })).toMatch(
    /logged in over SSH, or 600 s after that without one, in one of two tries of 30 min$/,
  );
});

test('the story is told as long as what was installed runs, then in one line', () => {
  const record: TakeOverRecord = {
    ...{ id: '0123456789abcdef', time: 1_700_000_000, deployment: 'c0ffee', hostName: 'vps' },
    ...{ system: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1', remote: 'r', ref: 'web' },
    ...{ commit: 'c'.repeat(64), confirmAfter: undefined, deadline: 1800 },
    ...{ disk: '/dev/vda', storyAt: 524_288 },
  };
  const story = tellStory([
    { time: 100, kind: 'prepare', text: 'build' },
    { time: 135, kind: 'prepared', text: '' },
    { time: 200, kind: 'start', text: 'staged' },
    { time: 209, kind: 'step', text: 'shrink' },
    { time: 300, kind: 'start', text: 'writing' },
    { time: 300, kind: 'step', text: 'shrink' },
    { time: 341, kind: 'step', text: 'write empty' },
    { time: 341, kind: 'done', text: '' },
  ]);
  const confirmed = { time: 1_700_000_500, by: 'a login of root' };
  const told = describeTakeOver({ record, confirmed, ...story }, 'c0ffee');
  expect(told).toEqual([
    'taken over 2023-11-14T22:13:20Z from Debian GNU/Linux 12 (bookworm) (vps), kernel 6.1',
    '  prepared  build 35 s',
    '  installed with 2 starts, 1 cut',
    '    1970-01-01T00:03:20Z shrink: cut there',
    '    1970-01-01T00:05:00Z shrink 41 s',
    '  confirmed 2023-11-14T22:21:40Z by a login of root',
  ]);
  expect(describeTakeOver({ record, confirmed, ...story }, 'later')).toHaveLength(1);
  const nowhere = { ...record, storyAt: undefined };
  const without = describeTakeOver({ record: nowhere, confirmed, ...tellStory([]) }, 'c0ffee');
  expect(without.join()).toContain('no place to keep the steps');
});

test('hijack --confirm and --status on a machine that was not taken over', () => {
  const pinectl = new Pinectl('/nowhere', '/');
  expect(pinectl.fail('hijack', '--confirm')).toBe('STATE_NOT_PINE');
  expect(pinectl.run('hijack', '--status')).toBe('No take-over is prepared here\n');
  expect(pinectl.json('hijack', '--status')).toMatchObject({ state: 'none' });
  expect(pinectl.fail('hijack', '--check', '--confirm-after', 'soon')).toBe('USAGE_COMMAND_LINE');
  expect(pinectl.fail('hijack', '--check', '--login-within', '10s')).toBe('USAGE_COMMAND_LINE');
});
