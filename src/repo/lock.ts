import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PineError } from '../error.ts';
import { type LockMode, takeOstreeLock } from './ostree-lock.ts';
import type { Repository } from './repository.ts';
import { takeWriterFile, type WriterFile, writerOf } from './writer-file.ts';

/** Held by a process that writes; `release` is called when it is done, whatever came of it. */
export interface WriterLock {
  release(): Promise<void>;
}

const pause = 100;

/** From how many milliseconds on a wait is told. */
const silence = 1000;

/** A wait for one lock: until when, in milliseconds since 1970, and what it tells once, when it takes long. */
interface Patience {
  readonly until: number;
  wait(holder: string): Promise<void>;
}

function patienceOf({ config, onWait }: Repository): Patience {
  const started = Date.now();
  const until = started + 1000 * config.lockTimeout;
  let told = false;
  return {
    until,
    async wait(holder) {
      if (!told && Date.now() >= started + silence) {
        told = true;
        onWait?.(holder, Math.ceil((until - Date.now()) / 1000));
      }
      await sleep(pause);
    },
  };
}

/**
 * Becomes the only pinectl that writes to a repository, and takes part in the lock of the stock `ostree`: `shared`
 * lets it commit meanwhile, `exclusive`, for what removes objects, does not. Waits for both as long as the repository's
 * config says (`lock-timeout-secs`, as with ostree), which is told after a second (`onWait`), then throws STATE_LOCKED.
 */
export async function lockForWriting(
  repository: Repository,
  mode: LockMode = 'shared',
): Promise<WriterLock> {
  const patience = patienceOf(repository);
  const own = await takeOwn(repository, patience);
  try {
    const file = repository.config.locking
      ? await takeShared(repository, mode, patience)
      : undefined;
    return {
      async release() {
        await own.release();
        await file?.close();
      },
    };
  } catch (error) {
    await own.release();
    throw error;
  }
}

async function takeOwn(repository: Repository, patience: Patience): Promise<WriterFile> {
  for (;;) {
    const taken = await takeWriterFile(repository);
    if (typeof taken !== 'string') return taken;
    if (Date.now() >= patience.until) {
      const remedy = 'wait until it is done; if that machine is gone for good, delete the file';
      throw locked('another pinectl', writerOf(taken), taken, remedy);
    }
    await patience.wait(writerOf(taken));
  }
}

async function takeShared(
  repository: Repository,
  mode: LockMode,
  patience: Patience,
): Promise<FileHandle | undefined> {
  for (;;) {
    const taken = await takeOstreeLock(repository.path, mode);
    if (taken === 'unavailable') return undefined;
    if (taken !== 'held') return taken;
    if (Date.now() >= patience.until) {
      const remedy = 'wait until it is done: `fuser -v` of this file tells who it is';
      throw locked(
        'another program',
        'a lock as ostree takes it',
        `${repository.path}/.lock`,
        remedy,
      );
    }
    await patience.wait('another program');
  }
}

function locked(who: string, found: string, where: string, remedy: string): PineError {
  return new PineError('STATE_LOCKED', `${who} is writing to this repository`, {
    expected: 'no other writer',
    found,
    where,
    remedy,
  });
}
