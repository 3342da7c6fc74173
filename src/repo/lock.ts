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

/**
 * Becomes the only pinectl that writes to a repository, and takes part in the lock of the stock `ostree`: `shared`
 * lets it commit meanwhile, `exclusive`, for what removes objects, does not. Waits for both as long as the repository's
 * config says (`lock-timeout-secs`, as with ostree), then throws STATE_LOCKED.
 */
export async function lockForWriting(
  repository: Repository,
  mode: LockMode = 'shared',
): Promise<WriterLock> {
  const until = Date.now() + 1000 * repository.config.lockTimeout;
  const own = await takeOwn(repository, until);
  try {
    const file = repository.config.locking ? await takeShared(repository, mode, until) : undefined;
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

async function takeOwn(repository: Repository, until: number): Promise<WriterFile> {
  for (;;) {
    const taken = await takeWriterFile(repository);
    if (typeof taken !== 'string') return taken;
    if (Date.now() >= until) {
      const remedy = 'wait until it is done; if that machine is gone for good, delete the file';
      throw locked('another pinectl', writerOf(taken), taken, remedy);
    }
    await sleep(pause);
  }
}

async function takeShared(
  repository: Repository,
  mode: LockMode,
  until: number,
): Promise<FileHandle | undefined> {
  for (;;) {
    const taken = await takeOstreeLock(repository.path, mode);
    if (taken === 'unavailable') return undefined;
    if (taken !== 'held') return taken;
    if (Date.now() >= until) {
      const remedy = 'wait until it is done: `fuser -v` of this file tells who it is';
      throw locked(
        'another program',
        'a lock as ostree takes it',
        `${repository.path}/.lock`,
        remedy,
      );
    }
    await sleep(pause);
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
