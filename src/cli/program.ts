import { Command } from 'commander';
import { PineError } from '../error.ts';

/** Every command: its name, one line about it, and the file that defines it. */
const commands: readonly (readonly [
  string,
  string,
  () => Promise<{ define(command: Command): void }>,
])[] = [];

/** The whole command line. A command's file is loaded only when its name was given. */
export function buildProgram(): Command {
  const program = new Command('pinectl').description('Atomic updates for Alpine-based servers');
  void commands;
  void PineError;
  return program;
}
