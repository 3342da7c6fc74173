import { expect, test } from 'vitest';
import { Pinectl } from './support/pinectl.ts';

test('hijack only checks, and takes a commit with all that belongs to it or none', () => {
  const pinectl = new Pinectl('/nowhere', '/');
  expect(pinectl.fail('hijack')).toBe('USAGE_COMMAND_LINE');
  expect(pinectl.fail('hijack', '--check', '--layout', '/none')).toBe('NOT_FOUND_FILE');
  const remote = ['--remote', 'http://127.0.0.1:1/'];
  expect(pinectl.fail('hijack', '--check', ...remote)).toBe('USAGE_COMMAND_LINE');
  const rest = ['--ref', 'web', '--key', '/none.pub'];
  expect(pinectl.fail('hijack', '--check', ...remote, ...rest)).toBe('NOT_FOUND_FILE');
});
