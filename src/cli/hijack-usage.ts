import { PineError } from '../error.ts';

/** The error that a command line of hijack ends in which makes no sense. */
export function usage(expected: string, found: string): PineError {
  return new PineError('USAGE_COMMAND_LINE', 'this is not a command line of hijack', {
    expected,
    found,
    where: 'the command line',
    remedy: 'run `pinectl hijack --help`',
  });
}
