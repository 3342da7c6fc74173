import { InvalidArgumentError } from 'commander';

/** A count from 1 on, as an option's value. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1 on.');
}
