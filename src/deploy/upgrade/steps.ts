import { arm, forgetWriting, mergeIntoNewEtc, remember, writeArguments } from './arm.ts';
import type { Step } from './work.ts';
import {
  clearTrailer,
  noteWriting,
  readBack,
  unlistTarget,
  writeImage,
  writeTrailer,
} from './write-slot.ts';

/**
 * The writing part of an upgrade, in the order that S2, S3 and S6 ask for. It can be cut after any write
 * within any step and run again from the start (S7).
 */
export const writingSteps: readonly Step[] = [
  { name: 'unlist the slot', run: unlistTarget },
  { name: 'note the write', run: noteWriting },
  { name: 'clear the trailer', run: clearTrailer },
  { name: 'write the image', run: writeImage },
  { name: 'write the trailer', run: writeTrailer },
  { name: 'read back', run: readBack },
  // Before /etc is merged: a hook may change it.
  { name: 'ask the hooks', run: (work) => work.askBeforeArming() },
  { name: 'merge /etc', run: mergeIntoNewEtc },
  { name: 'write the arguments', run: writeArguments },
  { name: 'remember', run: remember },
  { name: 'arm', run: arm },
  { name: 'forget the write', run: forgetWriting },
];

/** Runs steps one after the other; the first that fails ends it. */
export async function runSteps<W>(steps: readonly Step<W>[], work: W): Promise<void> {
  for (const step of steps) await step.run(work);
}
