import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from giving the young generation more room each time that it fills: some 60 MB less for a
 * command that makes many short-lived objects, at no cost in time that can be measured (S9).
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
