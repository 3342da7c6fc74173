import { invalidConfiguration } from '../configuration-values.ts';
import { dayBefore, type LocalTime, weekday } from './local-time.ts';

/** A time of the day, on some days of the week: `mon-fri 22:00-04:00`. It belongs to the day on which it begins. */
export interface Window {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight. An end that is not after the start is one of the next day. */
  readonly start: number;
  readonly end: number;
}

/** A window on a certain day, while it is open. */
export interface Occurrence {
  /** The day on which it began: `2026-10-25`. */
  readonly day: string;
  /** How long ago that was, on the wall clock. */
  readonly minutes: number;
}

const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const everyDay = [0, 1, 2, 3, 4, 5, 6];
const midnight = 24 * 60;
/** It is looked at every 15 minutes, up to 15 minutes late. */
const shortest = 60;

/** Reads `22:00-04:00`, with days before it if not all are meant. Throws INPUT_CONFIGURATION. */
export function parseWindow(value: unknown, name: string, where: string): Window {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
  const [, days, start, end] = /^(?:(\S+) +)?([0-9:]{5})-([0-9:]{5})$/.exec(text) ?? [];
  const window = {
    days: days === undefined ? everyDay : parseDays(days),
    start: parseMinute(start),
    end: parseMinute(end),
  };
  const valid = window.start < midnight && window.end <= midnight && window.days.length > 0;
  if (valid && lengthOf(window) >= shortest) return window;
  throw invalidConfiguration(
    where,
    `${name} = "02:00-05:00" or "sat,sun 02:00-05:00", an hour at least`,
    JSON.stringify(value) ?? `no ${name}`,
  );
}

/** How long a window is open, in minutes. */
export function lengthOf({ start, end }: Window): number {
  return end > start ? end - start : end + midnight - start;
}

/** The window's occurrence that a local time falls into. */
export function occurrenceAt(window: Window, { date, minute }: LocalTime): Occurrence | undefined {
  const { days, start, end } = window;
  const begins = (day: string) => days.includes(weekday(day));
  const isOver = end > start && minute >= end;
  if (minute >= start && !isOver) {
    return begins(date) ? { day: date, minutes: minute - start } : undefined;
  }
  if (end > start || minute >= end) return undefined;
  const yesterday = dayBefore(date);
  return begins(yesterday) ? { day: yesterday, minutes: minute + midnight - start } : undefined;
}

function parseMinute(text = ''): number {
  const [, hours, minutes] = /^([0-9]{2}):([0-5][0-9])$/.exec(text) ?? [];
  return hours === undefined ? Number.POSITIVE_INFINITY : Number(hours) * 60 + Number(minutes);
}

/** `sat,sun` or `mon-fri` as numbers; none when a name is wrong. */
function parseDays(text: string): readonly number[] {
  const days = text.split(',').map((word) => {
    const [first = -1, last = first] = word.split('-').map((name) => names.indexOf(name));
    if (word.split('-').length > 2 || first < 0 || last < 0) return [];
    const count = (last - first + 7) % 7;
    return everyDay.slice(0, count + 1).map((step) => (first + step) % 7);
  });
  return days.some((list) => list.length === 0) ? [] : days.flat();
}
