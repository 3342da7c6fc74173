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

test('what becomes of the old system: one thing at a time, and only on a machine of pine', () => {
  const pinectl = new Pinectl('/nowhere', '/');
  for (const option of ['--undo', '--keep-data', '--wipe']) {
    expect(pinectl.fail('hijack', option)).toBe('STATE_NOT_PINE');
  }
  expect(pinectl.fail('hijack', '--keep-data', '--wipe')).toBe('USAGE_COMMAND_LINE');
  expect(pinectl.fail('hijack', '--check', '--keep-data', '--wipe')).toBe('USAGE_COMMAND_LINE');
  expect(pinectl.fail('hijack', '--check', '--undo')).toBe('USAGE_COMMAND_LINE');
  expect(pinectl.fail('hijack', '--undo', '--redo')).toBe('USAGE_COMMAND_LINE');
});
