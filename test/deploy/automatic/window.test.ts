import { describe, expect, it } from 'vitest';
import { parseAutomatic } from '../../../src/deploy/automatic/automatic-settings.ts';
import { dueUpgrade, mayReboot } from '../../../src/deploy/automatic/decide.ts';
import { wallClock } from '../../../src/deploy/automatic/local-time.ts';
import { occurrenceAt, parseWindow } from '../../../src/deploy/automatic/window.ts';
import { codeOfAsync } from '../../support/code-of.ts';

const window = (text: unknown) => parseWindow(text, 'when', 'x');
const at = (moment: string, zone = 'UTC') => wallClock(zone)(Date.parse(moment) / 1000);

describe('a window', () => {
  it.each([
    ['02:00-05:00', [0, 1, 2, 3, 4, 5, 6], 120, 300],
    ['sun 00:00-24:00', [0], 0, 1440],
    ['Sat,SUN 22:30-04:00', [6, 0], 1350, 240],
    ['fri-mon 01:00-02:00', [5, 6, 0, 1], 60, 120],
    ['mon-mon,wed 01:00-02:00', [1, 3], 60, 120],
  ])('%s', (text, days, start, end) => {
    expect(window(text)).toEqual({ days, start, end });
  });

  it.each(
    [
      ['', '02:00', '2:00-5:00', '02:00-25:00', '24:00-03:00', '02:60-05:00', '02:00-02:30'],
      ['xyz 02:00-05:00', 'mon-tue-wed 02:00-05:00', 'mon, 02:00-05:00', '02:00-05:00 mon', 5],
    ].flat(),
  )('refuses %j', async (text) => {
    await codeOfAsync(async () => window(text), 'INPUT_CONFIGURATION');
  });

  it.each<[string, string, string | undefined, number?]>([
    ['02:00-05:00', '2026-11-25T01:59:59Z', undefined],
    ['02:00-05:00', '2026-11-25T02:00:00Z', '2026-11-25', 0],
    ['02:00-05:00', '2026-11-25T04:59:59Z', '2026-11-25', 179],
    ['02:00-05:00', '2026-11-25T05:00:00Z', undefined],
    // Over midnight it belongs to the day on which it began, also at the end of a year.
    ['22:00-04:00', '2026-12-31T22:00:00Z', '2026-12-31', 0],
    ['22:00-04:00', '2027-01-01T00:00:00Z', '2026-12-31', 120],
    ['22:00-04:00', '2027-01-01T03:59:00Z', '2026-12-31', 359],
    ['22:00-04:00', '2027-01-01T04:00:00Z', undefined],
    ['22:00-24:00', '2026-12-31T23:59:00Z', '2026-12-31', 119],
    ['22:00-24:00', '2027-01-01T00:00:00Z', undefined],
    ['22:00-00:00', '2027-01-01T00:00:00Z', undefined],
    // 2026-11-27 is a Friday.
    ['fri 22:00-04:00', '2026-11-27T23:00:00Z', '2026-11-27', 60],
    ['fri 22:00-04:00', '2026-11-28T01:00:00Z', '2026-11-27', 180],
    ['fri 22:00-04:00', '2026-11-28T23:00:00Z', undefined],
    ['fri 22:00-04:00', '2026-11-27T01:00:00Z', undefined],
  ])('%s at %s', (text, moment, day, minutes) => {
    const expected = day === undefined ? undefined : { day, minutes };
    expect(occurrenceAt(window(text), at(moment))).toEqual(expected);
  });

  it.each<[string, string, string, string | undefined]>([
    // Berlin, 2027-03-28: after 01:59 comes 03:00. 2026-10-25: after 02:59 comes 02:00.
    ['02:00-03:00', '2027-03-28T00:59:00Z', '2027-03-28 01:59', undefined],
    ['02:00-03:00', '2027-03-28T01:00:00Z', '2027-03-28 03:00', undefined],
    ['01:30-03:30', '2027-03-28T01:00:00Z', '2027-03-28 03:00', '2027-03-28'],
    ['02:00-03:00', '2026-10-25T00:30:00Z', '2026-10-25 02:30', '2026-10-25'],
    ['02:00-03:00', '2026-10-25T01:30:00Z', '2026-10-25 02:30', '2026-10-25'],
    ['02:00-03:00', '2026-10-25T02:00:00Z', '2026-10-25 03:00', undefined],
    ['23:00-03:00', '2026-10-24T22:30:00Z', '2026-10-25 00:30', '2026-10-24'],
  ])('%s in Berlin at %s', (text, moment, wall, day) => {
    const time = at(moment, 'Europe/Berlin');
    const [hours, minutes] = [Math.floor(time.minute / 60), time.minute % 60];
    const clock = [hours, minutes].map((part) => String(part).padStart(2, '0')).join(':');
    expect(`${time.date} ${clock}`).toBe(wall);
    expect(occurrenceAt(window(text), time)?.day).toBe(day);
  });
});

describe('[automatic]', () => {
  it('is off unless it is switched on', () => {
    expect(parseAutomatic(undefined, 'x')).toEqual({
      enabled: false,
      when: { days: [0, 1, 2, 3, 4, 5, 6], start: 120, end: 300 },
      reboot: { days: [0, 1, 2, 3, 4, 5, 6], start: 120, end: 300 },
      how: 'reboot',
      strict: false,
      delay: 3600,
      timeZone: undefined,
    });
  });

  it.each([
    { enabled: 1 },
    { enabled: 'true' },
    { how: 'never' },
    { strict: 'yes' },
    { timezone: 'Mars/Olympus' },
    { timezone: '' },
    { delay: -1 },
    { reboot: '3' },
    { whn: '02:00-05:00' },
  ])('refuses %j', async (value) => {
    await codeOfAsync(async () => parseAutomatic(value, 'x'), 'INPUT_CONFIGURATION');
  });
});

/** Looks every quarter of an hour, as crond does, for a year of a place whose clocks change. */
describe.each([
  ['02:00-05:00', 'sun 03:00-06:00', 'Europe/Berlin'],
  ['23:30-01:00', '23:30-01:00', 'America/New_York'],
  ['mon-fri 00:00-24:00', 'sat 22:00-02:00', 'Australia/Lord_Howe'],
])('a year of windows %s, reboots %s, in %s', (when, reboot, timezone) => {
  const settings = parseAutomatic({ enabled: true, when, reboot, timezone }, 'x');
  const clock = wallClock(timezone);
  const begin = Date.parse('2026-06-01T00:00:00Z') / 1000;

  function year(seed: string) {
    const days: string[] = [];
    const reboots: number[] = [];
    const firsts = new Map<string, number>();
    let done: string | undefined;
    for (let now = begin; now < begin + 366 * 86_400; now += 900) {
      const time = clock(now);
      const due = dueUpgrade(settings, { seed, ...(done !== undefined && { done }) }, time);
      if (due !== undefined) {
        expect(occurrenceAt(settings.when, time)?.day).toBe(due.day);
        firsts.set(due.day, due.minutes);
        days.push(due.day);
        done = due.day;
      }
      if (mayReboot(settings, seed, time)) {
        expect(occurrenceAt(settings.reboot, time)).toBeDefined();
        reboots.push(now);
      }
    }
    return { days, reboots, firsts };
  }

  it('has one upgrade in each, each within it, at times of its own', () => {
    const { days, reboots, firsts } = year('0123456789abcdef');
    expect(new Set(days).size).toBe(days.length);
    const expected = when.startsWith('mon-fri') ? 261 : 365;
    expect(days.length).toBeGreaterThanOrEqual(expected - 1);
    expect(reboots.length).toBeGreaterThan(40);
    // The delay is not the same every day, so nobody is always the last.
    expect(new Set(firsts.values()).size).toBeGreaterThan(2);
  });
});

it('spreads a fleet over the hour of the standard delay', () => {
  const settings = parseAutomatic({ enabled: true }, 'x');
  const count = (moment: string) =>
    Array.from({ length: 400 }, (_, machine) =>
      dueUpgrade(settings, { seed: machine.toString(16).padStart(16, '0') }, at(moment)),
    ).filter((due) => due !== undefined).length;
  const counts = ['02:00', '02:15', '02:30', '02:45', '03:00'].map((time) =>
    count(`2026-11-25T${time}:00Z`),
  );
  expect(counts[0]).toBeLessThan(10);
  expect(counts[4]).toBe(400);
  for (const [index, share] of [0.25, 0.5, 0.75].entries()) {
    expect(counts[index + 1]).toBeGreaterThan(400 * (share - 0.1));
    expect(counts[index + 1]).toBeLessThan(400 * (share + 0.1));
  }
});
