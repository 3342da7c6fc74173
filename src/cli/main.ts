#!/usr/bin/env node
import type { Command } from 'commander';
import { PineError } from '../error.ts';

/** Runs the command line and returns the exit status. */
async function main(argv: readonly string[]): Promise<number> {
  const { CommanderError } = await import('commander');
  const { buildProgram, usageError } = await import('./program.ts');
  let program: Command | undefined;
  try {
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
  process.stderr.write(json ? `${JSON.stringify({ error: known })}\n` : `${known.toText()}\n`);
  if (known !== error && process.env.PINE_DEBUG) console.error(error);
  return known.exitStatus;
}

function defect(error: unknown): PineError {
  const system = error as NodeJS.ErrnoException;
  if (system?.code === 'ENOSPC') {
    return new PineError('SPACE_DEVICE', 'there is no space left', {
      expected: 'room to write',
      found: system.message,
      where: system.path ?? 'the file system',
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
        where: system.path ?? 'unnamed',
        remedy: 'check that the path exists and that you may use it',
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

// Whoever read our output has seen enough, as in `pinectl log web | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Not awaited here: a single executable is a CommonJS module, which has no top-level await.
void main(process.argv).then((status) => {
  process.exitCode = status;
});
