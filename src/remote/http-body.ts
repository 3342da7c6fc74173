import type { IncomingMessage } from 'node:http';
import { Interruption, networkError } from './interruption.ts';
import type { Timeouts } from './timeouts.ts';

/**
 * The pieces of a body as they come. A server that stalls or drips is an Interruption. Only the time
 * that is spent waiting for the server counts, not what the reader does with the bytes.
 */
export async function* readBody(
  response: IncomingMessage,
  where: string,
  timeouts: Timeouts,
): AsyncGenerator<Buffer> {
  const pieces: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
  let waited = 0;
  let received = 0;
  try {
    for (;;) {
      const started = performance.now();
      const piece = await nextPiece(response, pieces, timeouts.idle).catch((error: unknown) => {
        throw networkError(error, where, false);
      });
      if (piece.done === true) break;
      waited += performance.now() - started;
      received += piece.value.length;
      if (waited >= timeouts.slowWindow) {
        checkSpeed(received, waited, timeouts.slowBytes);
        waited = 0;
        received = 0;
      }
      yield piece.value;
    }
    if (!response.complete) {
      throw new Interruption('REMOTE_BROKEN', {
        expected: 'the whole file',
        found: 'the connection was closed before its end',
      });
    }
  } finally {
    response.destroy();
  }
}

async function nextPiece(
  response: IncomingMessage,
  pieces: AsyncIterator<Buffer>,
  idle: number,
): Promise<IteratorResult<Buffer>> {
  const timer = setTimeout(() => {
    response.destroy(
      new Interruption('REMOTE_STALLED', {
        expected: 'more bytes',
        found: `nothing for ${idle / 1000} s`,
      }),
    );
  }, idle);
  return pieces.next().finally(() => clearTimeout(timer));
}

function checkSpeed(received: number, waited: number, slowBytes: number): void {
  const speed = (received * 1000) / waited;
  if (speed >= slowBytes) return;
  throw new Interruption('REMOTE_SLOW', {
    expected: `at least ${slowBytes} bytes per second`,
    found: `${Math.floor(speed)} bytes per second over ${Math.round(waited / 1000)} s`,
  });
}

/** Lets go of a body that nobody wants: read to its end when it is short, so that the connection can be used again. */
export function discardBody(response: IncomingMessage): void {
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  if (length > 16 * 1024 || Number.isNaN(length)) {
    response.destroy();
    return;
  }
  const timer = setTimeout(() => response.destroy(), 5000).unref();
  response.once('close', () => clearTimeout(timer)).resume();
}
