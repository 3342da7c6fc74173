import { type Command, CommanderError } from 'commander';
import { vi } from 'vitest';
import { buildProgram, usageError } from '../../../src/cli/program.ts';
import { PineError } from '../../../src/error.ts';

/** What a command printed, and the error that it ended in. */
export interface Ran {
  readonly error: PineError | undefined;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process: a process for each of sixty would take a minute. */
export async function runHere(...args: string[]): Promise<Ran> {
  const argv = ['node', 'pinectl', ...args];
  const written = { out: '', err: '' };
  const collect = (name: 'out' | 'err') => (text: string | Uint8Array) => {
    written[name] += text.toString();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(collect('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(collect('err')),
  ];
  let program: Command | undefined;
  try {
    program = await buildProgram(argv);
    await program.parseAsync(argv);
    return { error: undefined, ...written };
  } catch (error) {
    const known = error instanceof CommanderError ? usageError(error, argv, program) : error;
    if (!(known instanceof PineError)) throw error;
    return { error: known, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** What a command prints when all goes well. */
export async function outputHere(...args: string[]): Promise<string> {
  const { error, out } = await runHere(...args);
  if (error !== undefined) throw new Error(`pinectl ${args.join(' ')}: ${error.toText()}`);
  return out;
}
