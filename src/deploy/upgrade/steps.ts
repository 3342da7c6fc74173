import {
  arm,
  forgetStaging,
  forgetWriting,
  mergeIntoNewEtc,
  noteOrigin,
  remember,
  stage,
  writeArguments,
} from './arm.ts';
import type { ArmingWork, Step } from './work.ts';
import {
  clearTrailer,
  noteWriting,
  readBack,
  unlistTarget,
  writeImage,
  writeTrailer,
} from './write-slot.ts';

/**
 * Writes the other slot and merges /etc, in the order that S2 and S6 ask for, and ends staged: whole, and chosen by
 * nobody. It can be cut after any write within any step and run again from the start (S7).
 */
export const stagingSteps: readonly Step[] = [
  { name: 'forget the staging', run: forgetStaging },
  { name: 'unlist the slot', run: unlistTarget },
  { name: 'note the write', run: noteWriting },
  { name: 'clear the trailer', run: clearTrailer },
  { name: 'write the image', run: writeImage },
  { name: 'write the trailer', run: writeTrailer },
  { name: 'read back', run: readBack },
  { name: 'merge /etc', run: mergeIntoNewEtc },
  { name: 'note the origin', run: noteOrigin },
  { name: 'stage', run: stage },
  { name: 'forget the write', run: forgetWriting },
];

/**
 * Arms what is staged: merges once more, since /etc may have changed (S8), then chooses it for the next boot with one
 * write (S3). It can be cut after any write and run again: until the choice is written, it is still staged (S7).
 */
export const armingSteps: readonly Step<ArmingWork>[] = [
  // Before /etc is merged: a hook may change it.
  { name: 'ask the hooks', run: (work) => work.askBeforeArming() },
  { name: 'merge /etc again', run: mergeIntoNewEtc },
  { name: 'write the arguments', run: writeArguments },
  { name: 'remember', run: remember },
  { name: 'arm', run: arm },
  { name: 'leave the stage', run: forgetStaging },
];

/** Runs steps one after the other; the first that fails ends it. */
export async function runSteps<W>(steps: readonly Step<W>[], work: W): Promise<void> {
  for (const step of steps) await step.run(work);
}
