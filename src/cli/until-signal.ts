const names = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
 * Runs `work`, which is told when a signal asks this process to end: it stops, and removes what it has made. Then the process
 * dies of that signal, as if nobody had caught it.
 */
export async function untilSignal<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (name: NodeJS.Signals) => {
    received = name;
    controller.abort();
  };
  for (const name of names) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.off(name, stop);
    if (received !== undefined) process.kill(process.pid, received);
  }
}
