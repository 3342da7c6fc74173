import { PineError } from '../../error.ts';
import type { BlockDevice } from '../../ports/block-device.ts';
import { pageAlignedBuffer } from '../../ports/page-aligned.ts';
import type { Progress } from '../../ports/progress.ts';
import type { Machine } from '../machine.ts';
import { choiceAfter } from '../refusals.ts';
import { readSituation, refuseDegraded, refuseEmergency } from '../situation.ts';
import { underLock } from '../under-lock.ts';
import { findOldSystem, previousOf, spareLabel } from './find.ts';
import { mountSpare, spareFolder, unmountOldRoot } from './mounting.ts';
import { noteProblem } from './problem.ts';
import { writeWish } from './wish.ts';

/** What a wipe came to. Sizes are bytes. */
export interface Wiped {
  /** `false`: it was wiped before. */
  readonly erased: boolean;
  readonly size: number;
  readonly folder: string;
  /** What kept the new file system from being mounted. */
  readonly problem: string | undefined;
}

export interface WipeOptions {
  readonly progress?: Progress;
  /** Seconds that another pinectl is waited for. */
  readonly lockWait?: number;
}

const pieceSize = 1 << 20;
/** The half of a superblock that has the mark by which GRUB and Linux know it: one sector. */
const superblockAt = 1024;
const sectorSize = 512;
const formatTime = 3600;

/**
 * Erases the old system for good, and makes an empty file system in its place. Only on a machine that is confirmed:
 * until then GRUB falls back to the old system. Throws STATE_ON_TRIAL, STATE_UNDONE, STATE_OLD_SYSTEM_MOUNTED and others.
 *
 * S7: what is wanted is durable first; then one sector makes an end of the old file system, so that nothing starts half
 * of it; then zeros; then the new file system. Cut anywhere, the next run, or the next boot, goes through it again. A
 * spare file system that was ever in use is not touched.
 */
export async function wipe(
  machine: Machine,
  { progress, lockWait = 0 }: WipeOptions = {},
): Promise<Wiped> {
  refuseDegraded(machine);
  const previous = previousOf(machine);
  return underLock(
    machine,
    async () => {
      await refuseUnlessConfirmed(machine);
      const found = await findOldSystem(previous);
      const isDone = found.kind === 'spare' && found.wasMounted;
      if (!isDone) {
        await writeWish(machine, 'wipe');
        if (found.kind === 'kept') await unmountOldRoot(machine);
        if (found.kind !== 'spare') await erase(machine, progress);
        await format(machine);
      }
      const problem = await mountSpare(machine);
      await noteProblem(machine, problem);
      return { erased: !isDone, size: found.size, folder: spareFolder(machine), problem };
    },
    lockWait,
  );
}

async function refuseUnlessConfirmed(machine: Machine): Promise<void> {
  const situation = await readSituation(machine);
  refuseEmergency(machine, situation);
  const { choice } = situation;
  const running = machine.running.block ?? 0;
  if (choice?.trial?.block === running && choice.order.length === 1) throw firstTrial();
  choiceAfter(choice, { kind: 'unlist', running, blocks: [] });
}

async function erase(machine: Machine, progress: Progress | undefined): Promise<void> {
  const device = await previousOf(machine).open('write');
  try {
    await device.write(superblockAt, Buffer.alloc(sectorSize));
    await device.flush(); // S6: from here on nobody takes it for a system
    await writeZeros(device, progress);
    await device.flush();
  } finally {
    await device.close();
  }
}

async function writeZeros(device: BlockDevice, progress: Progress | undefined): Promise<void> {
  const zeros = pageAlignedBuffer(pieceSize).fill(0); // S9
  for (let at = 0; at < device.size; at += pieceSize) {
    progress?.(at, device.size, 'erasing the old system');
    await device.write(at, zeros.subarray(0, Math.min(pieceSize, device.size - at)));
  }
  progress?.(device.size, device.size, 'erasing the old system');
}

/** mke2fs discards all of the partition first, where the disk can: a thin one gets its room back. */
async function format(machine: Machine): Promise<void> {
  const { path } = previousOf(machine);
  const parameters = ['-q', '-F', '-t', 'ext4', '-m', '1', '-L', spareLabel, path];
  const { passed, detail } = await machine.effects.runProgram('mke2fs', formatTime, { parameters });
  if (passed) return;
  throw new PineError('PROGRAM_FAILED', 'the old system is erased; no new file system was made', {
    expected: `\`mke2fs ${parameters.join(' ')}\` to succeed`,
    found: detail,
    where: path,
    remedy: 'install e2fsprogs in the image, then run `pinectl hijack --wipe` again',
  });
}

function firstTrial(): PineError {
  return new PineError('STATE_ON_TRIAL', 'this machine is on its first trial', {
    expected: 'a machine that is confirmed',
    found: 'one that still falls back to the old system',
    where: 'the boot choice',
    remedy: 'wait until it is confirmed (`pinectl status`), then wipe',
  });
}
