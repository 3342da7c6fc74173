import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';

const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
/** Those of all that run now. */
const inUse = new Set<string>();

/**
 * Lets `use` make files under these paths, and removes what is there afterwards: also when it is a signal that ends this
 * process. It is looked at between two pieces of work, so `use` is not to keep the thread for long.
 */
export async function withTemporaryPaths<T>(
  paths: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  if (inUse.size === 0) for (const signal of signals) process.on(signal, endBy);
  for (const path of paths) inUse.add(path);
  try {
    return await use();
  } finally {
    for (const path of paths) {
      await rm(path, { force: true });
      inUse.delete(path);
    }
    if (inUse.size === 0) listenNoMore();
  }
}

/** Removes what is there, and dies of the signal as if it had not been caught. */
function endBy(signal: NodeJS.Signals): void {
  for (const path of inUse) rmSync(path, { force: true });
  listenNoMore();
  process.kill(process.pid, signal);
}

function listenNoMore(): void {
  for (const signal of signals) process.off(signal, endBy);
}
