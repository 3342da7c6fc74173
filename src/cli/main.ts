#!/usr/bin/env node
import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { visible } from './output.ts';

/** Runs the command line and returns the exit status. */
async function main(given: readonly string[]): Promise<number> {
  const { CommanderError } = await import('commander');
  const { buildProgram, checkArguments, usageError, withHelpOption } = await import('./program.ts');
  const argv = withHelpOption(given);
  let program: Command | undefined;
  try {
    checkArguments(argv);
    program = await buildProgram(argv);
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const known = error instanceof CommanderError ? usageError(error, argv, program) : error;
    return known === undefined ? 0 : report(known, argv.includes('--json'));
  }
}

/** Prints an error in one of two shapes. What is not a PineError is a defect of ours, and says so. */
function report(error: unknown, json: boolean): number {
  const known = error instanceof PineError ? error : defect(error);
  const text = json ? JSON.stringify({ error: known }) : visible(known.toText(), process.stderr);
  process.stderr.write(`${text}\n`);
  if (known !== error && process.env.PINE_DEBUG) console.error(error);
  return known.exitStatus;
}

function defect(error: unknown): PineError {
  const system = error as NodeJS.ErrnoException;
  if (system?.code === 'ENOSPC') {
    return new PineError('SPACE_DEVICE', 'there is no space left', {
      expected: 'room to write',
      found: system.message,
      where: placeOf(system) ?? 'a file, or what this prints goes to',
      remedy: 'free some space and run the command again',
    });
  }
  if (typeof system?.code === 'string' && system.syscall !== undefined) {
    return new PineError(
      `IO_${system.code.toUpperCase()}` as `IO_${Uppercase<string>}`,
      `the system refused: ${system.syscall}`,
      {
        expected: `${system.syscall} to succeed`,
        found: system.message,
        where: placeOf(system) ?? 'a file, or what this prints goes to',
        remedy:
          system.code === 'EADDRINUSE'
            ? 'stop what listens there, or take another port'
            : 'check that the path exists and that you may use it',
      },
    );
  }
  return new PineError('IO_UNEXPECTED', 'pine met something that it does not know', {
    expected: 'no such thing',
    found: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    where: 'pinectl itself',
    remedy: 'run it again with PINE_DEBUG=1 and report what it prints',
  });
}

/** What a call of the system was about: a path, or an address and a port. */
function placeOf(error: NodeJS.ErrnoException): string | undefined {
  const { path, address, port } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  return path ?? (address === undefined ? undefined : `${address}, port ${port}`);
}

// Whoever read our output has seen enough, as in `pinectl log web | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : report(error, process.argv.includes('--json')));
});

// Not awaited here: a single executable is a CommonJS module, which has no top-level await.
void main(process.argv).then((status) => {
  process.exitCode = status;
});
