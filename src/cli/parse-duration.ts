import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Reads an option like `90`, `90s`, `10m` or `2h`: seconds, a day at most. */
export function parseDuration(text: string): number {
  const [, digits = '', unit = 's'] = /^([0-9]{1,5})([smh])?$/.exec(text) ?? [];
  const seconds = Number(digits) * (units[unit] ?? 1);
  if (digits !== '' && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('Expected a duration up to 24h, as 90s, 10m or 2h.');
}
