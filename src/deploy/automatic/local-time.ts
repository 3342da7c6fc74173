/** What the clock on the wall says. */
export interface LocalTime {
  /** `2026-10-25`. */
  readonly date: string;
  /** Minutes since the wall clock's midnight: 0 to 1439. An hour is missing or comes twice when clocks change. */
  readonly minute: number;
}

/** Tells the local time of moments (seconds since 1970), in the system's time zone or in a named one. */
export function wallClock(timeZone: string | undefined): (seconds: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (seconds) => {
    const parts = new Map(
      format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
    return {
      date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
      minute: Number(part('hour')) * 60 + Number(part('minute')),
    };
  };
}

/** Whether this system knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** The day before a date, and 0 (Sunday) to 6 for it: of the calendar, whatever clocks do. */
export function dayBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

export function weekday(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}
