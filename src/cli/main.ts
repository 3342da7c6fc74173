#!/usr/bin/env node
import { PineError } from '../error.ts';

/** Runs the command line and returns the exit status. Commands are loaded when they are called. */
async function main(argv: readonly string[]): Promise<number> {
  const { buildProgram } = await import('./program.ts');
  try {
    await buildProgram().parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error, argv.includes('--json'));
  }
}

function report(error: unknown, json: boolean): number {
  if (error instanceof PineError) {
    process.stderr.write(json ? `${JSON.stringify({ error })}\n` : `${error.toText()}\n`);
    return error.exitStatus;
  }
  throw error;
}

process.exitCode = await main(process.argv);
