import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '../../ports/network.ts';

/** A server that says more than this in one line says no banner. */
const longestBanner = 1024;

/** The network of this machine. */
export const nodeNetwork: Network = {
  async lookUp(host, seconds) {
    await within(lookup(host), seconds);
  },

  readBanner(address, port, seconds) {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port });
      let text = '';
      const end = (settle: () => void) => {
        clearTimeout(timer);
        socket.destroy();
        settle();
      };
      const fail = (why: string) => end(() => reject(new Error(why)));
      const timer = setTimeout(() => fail(late(seconds)), seconds * 1000);
      socket.on('data', (piece) => {
        text += piece.toString('latin1');
        const line = /^(.*)\r?\n/.exec(text)?.[1];
        if (line !== undefined) end(() => resolve(line));
        else if (text.length > longestBanner) fail('it says no line');
      });
      socket.on('error', (error) => fail(error.message));
      socket.on('end', () => fail('it closed the connection'));
    });
  },

  async reach(remote, seconds) {
    const { openSource } = await import('../../remote/open-source.ts');
    const { RemoteRepository } = await import('../../remote/remote-repository.ts');
    const repository = new RemoteRepository(await openSource(remote));
    try {
      await within(repository.checkMode(), seconds);
    } finally {
      await repository.close();
    }
  },

  elapsed: () => performance.now() / 1000,
  wait: (seconds) => sleep(seconds * 1000),
};

/** What a promise gives, or a rejection when the time is up. What it does then is of no interest. */
async function within<T>(promise: Promise<T>, seconds: number): Promise<T> {
  const timer = new AbortController();
  promise.catch(() => {});
  const limit = sleep(seconds * 1000, undefined, { signal: timer.signal }).then(() => {
    throw new Error(late(seconds));
  });
  limit.catch(() => {});
  try {
    return await Promise.race([promise, limit]);
  } finally {
    timer.abort();
  }
}

function late(seconds: number): string {
  return `no answer within ${Math.ceil(seconds)} s`;
}
