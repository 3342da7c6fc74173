import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../support/code-of.ts';
import { collect, impatientSource, LoopbackServer, serve } from './loopback-server.ts';

const file = randomBytes(300_000);
const limit = 1_000_000;
let server: LoopbackServer;
const start = async (handler: Parameters<typeof LoopbackServer.start>[0]) => {
  server = await LoopbackServer.start(handler);
  return server;
};
afterEach(() => server.stop());

/** Numbers that look random and are the same each time. */
function* randomNumbers(seed: number): Generator<number> {
  for (let counter = 0; ; counter += 1) {
    yield createHash('sha256').update(`${seed} ${counter}`).digest().readUInt32LE();
  }
}

describe('reading over HTTP', () => {
  it('reads a file, asks for no encoding, and keeps the connection for the next', async () => {
    await start((request, response) => response.end(serve(request, response, file).body));
    const { source, pauses } = impatientSource(server.url);
    expect(await collect(source.open('objects/a', { limit }))).toEqual(file);
    expect(await collect(source.open('objects/b', { limit: file.length }))).toEqual(file);
    expect(server.requests.map((request) => request.path)).toEqual([
      '/repo/objects/a',
      '/repo/objects/b',
    ]);
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    expect(server.connections).toBe(1);
    expect(pauses).toEqual([]);
    await source.close();
  });

  it('reads an empty file, and a body in chunks', async () => {
    await start((request, response) => {
      if (request.url === '/repo/empty') response.end();
      else {
        response.write(file.subarray(0, 7));
        response.end(file.subarray(7));
      }
    });
    const { source } = impatientSource(server.url);
    expect(await collect(source.open('empty', { limit: 0 }))).toHaveLength(0);
    expect(await collect(source.open('chunks', { limit }))).toEqual(file);
    await source.close();
  });

  it('starts where it is told to, whether the server knows ranges or not', async () => {
    await start((request, response) => {
      if (request.url === '/repo/plain')
        response.setHeader('content-length', file.length).end(file);
      else response.end(serve(request, response, file).body);
    });
    const { source } = impatientSource(server.url);
    for (const path of ['ranges', 'plain']) {
      for (const from of [1, 70_000, file.length - 1, file.length]) {
        const rest = await collect(source.open(path, { limit, from }));
        expect(rest.equals(file.subarray(from))).toBe(true);
      }
    }
    await codeOfAsync(
      () => collect(source.open('ranges', { limit, from: file.length + 1 })),
      'REMOTE_CHANGED',
    );
    await codeOfAsync(
      () => collect(source.open('plain', { limit, from: file.length + 1 })),
      'REMOTE_CHANGED',
    );
    await source.close();
  });

  it('resumes where the connection broke, at random places', async () => {
    const numbers = randomNumbers(1);
    let sent = 0;
    await start((request, response) => {
      const { body } = serve(request, response, file);
      // At least so much that the attempts are not used up: four breaks may come in a row.
      const cut =
        server.requests.length % 5 === 0
          ? body.length
          : 1 + ((numbers.next().value ?? 0) % body.length);
      response.write(body.subarray(0, cut), () => {
        sent += cut;
        if (cut < body.length) response.destroy();
        else response.end();
      });
    });
    for (let run = 0; run < 40; run += 1) {
      const { source, pauses } = impatientSource(server.url);
      const before = server.requests.length;
      expect((await collect(source.open('objects/a', { limit }))).equals(file)).toBe(true);
      expect(pauses.length).toBe(server.requests.length - before - 1);
      await source.close();
    }
    const resumed = server.requests.filter((request) => request.range !== undefined);
    expect(resumed.length).toBeGreaterThan(20);
    expect(resumed.every((request) => request.headers['if-range'] === '"one"')).toBe(true);
    // What was sent and lost in a socket buffer comes again; nothing else does.
    expect(sent).toBeLessThan(2 * 40 * file.length);
  });

  it('goes on when a server without ranges sends the whole file again', async () => {
    await start((_, response, number) => {
      response.setHeader('content-length', file.length);
      response.write(file.subarray(0, 100_000), () => {
        if (number === 1) response.destroy();
        else response.end(file.subarray(100_000));
      });
    });
    const { source } = impatientSource(server.url);
    expect((await collect(source.open('a', { limit }))).equals(file)).toBe(true);
    expect(server.requests).toHaveLength(2);
    await source.close();
  });

  it('gives up after a bounded number of breaks, having waited longer each time', async () => {
    await start((_, response) => {
      response.setHeader('content-length', file.length);
      response.flushHeaders();
      response.destroy();
    });
    const { source, pauses } = impatientSource(server.url);
    const error = await codeOfAsync(() => collect(source.open('a', { limit })), 'REMOTE_BROKEN');
    expect(error.details.found).toContain('5 attempts');
    expect(server.requests).toHaveLength(5);
    [500, 1000, 2000, 4000].forEach((pause, index) => {
      expect(pauses[index]).toBeGreaterThanOrEqual(pause / 2);
      expect(pauses[index]).toBeLessThanOrEqual(pause * 1.5);
    });
    await source.close();
  });

  it('survives more breaks than attempts in a long file, as long as each brings much', async () => {
    const long = randomBytes(16 * 1024 * 1024);
    const piece = 2 * 1024 * 1024;
    await start((request, response) => {
      const { body } = serve(request, response, long);
      response.write(body.subarray(0, piece));
      setTimeout(() => (body.length <= piece ? response.end() : response.destroy()), 30);
    });
    const { source } = impatientSource(server.url);
    const read = await collect(source.open('a', { limit: long.length }));
    expect(read.equals(long)).toBe(true);
    expect(server.requests.length).toBeGreaterThan(7);
    await source.close();
  });

  it('takes a kept connection that the server closed meanwhile for no failure', async () => {
    const used = new Set<unknown>();
    await start((request, response) => {
      // Closed just as the next request was on its way.
      if (used.has(request.socket)) request.socket.destroy();
      else response.end(serve(request, response, file).body);
      used.add(request.socket);
    });
    const { source, pauses } = impatientSource(server.url);
    for (let run = 0; run < 3; run += 1) {
      expect(await collect(source.open('a', { limit }))).toHaveLength(file.length);
    }
    expect(server.requests).toHaveLength(5);
    expect(pauses).toEqual([]);
    await source.close();
  });

  it('closes the connection when the reader stops early', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await start((request, response) => {
      closed = new Promise((resolve) => request.socket.once('close', resolve));
      response.setHeader('content-length', 50_000_000).write(file);
    });
    const { source } = impatientSource(server.url);
    for await (const _ of source.open('a', { limit: 50_000_000 })) break;
    await closed;
    await source.close();
  });
});

describe('a server that fails', () => {
  it('is gone: REMOTE_UNREACHABLE', async () => {
    await start(() => {});
    const { url } = server;
    await server.stop();
    const { source, pauses } = impatientSource(url);
    const error = await codeOfAsync(
      () => collect(source.open('a', { limit })),
      'REMOTE_UNREACHABLE',
    );
    expect(error.exitStatus).toBe(8);
    expect(pauses).toHaveLength(4);
    await start(() => {});
  });

  it('disappears in the middle of a file: REMOTE_UNREACHABLE, and says at which byte', async () => {
    await start((_, response) => {
      response.setHeader('content-length', file.length).write(file.subarray(0, 1000));
      setTimeout(() => server.stop(), 20);
    });
    const { source } = impatientSource(server.url);
    const error = await codeOfAsync(
      () => collect(source.open('a', { limit })),
      'REMOTE_UNREACHABLE',
    );
    expect(error.details.found).toContain('at byte 1000');
    await start(() => {});
  });

  it('takes the connection and never answers: REMOTE_TIMEOUT', async () => {
    await start(() => {});
    const { source } = impatientSource(server.url, { pauses: [1] });
    await codeOfAsync(() => collect(source.open('a', { limit })), 'REMOTE_TIMEOUT');
    expect(server.requests).toHaveLength(2);
    await source.close();
  });

  it('stalls in the middle: another attempt goes on from there', async () => {
    await start((request, response, number) => {
      const { body } = serve(request, response, file);
      if (number === 1) response.write(body.subarray(0, 10_000));
      else response.end(body);
    });
    const { source } = impatientSource(server.url);
    expect((await collect(source.open('a', { limit }))).equals(file)).toBe(true);
    expect(server.requests[1]?.range).toBe('bytes=10000-');
    await source.close();
  });

  it('stalls each time: REMOTE_STALLED', async () => {
    await start((_, response) => {
      response.setHeader('content-length', file.length).write('x');
    });
    const { source } = impatientSource(server.url, { pauses: [1] });
    await codeOfAsync(() => collect(source.open('a', { limit })), 'REMOTE_STALLED');
    await source.close();
  });

  it('drips, always in time but too slowly: REMOTE_SLOW', async () => {
    await start((_, response) => {
      response.setHeader('content-length', file.length);
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    });
    const { source } = impatientSource(server.url, { slowWindow: 200, pauses: [] });
    await codeOfAsync(() => collect(source.open('a', { limit })), 'REMOTE_SLOW');
    await source.close();
  });

  it('is not blamed for a reader that is slow itself', async () => {
    await start((request, response) => response.end(serve(request, response, file).body));
    const { source } = impatientSource(server.url, { slowWindow: 50, idle: 50, slowBytes: 1e6 });
    let read = 0;
    for await (const piece of source.open('a', { limit })) {
      read += piece.length;
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    expect(read).toBe(file.length);
    expect(server.requests).toHaveLength(1);
    await source.close();
  });

  it('says 500, then works: tried again; Retry-After is respected', async () => {
    await start((request, response, number) => {
      if (number === 1) response.writeHead(500).end('oops');
      else if (number === 2) response.writeHead(503, { 'retry-after': '7' }).end();
      else response.end(serve(request, response, file).body);
    });
    const { source, pauses } = impatientSource(server.url);
    expect(await collect(source.open('a', { limit }))).toEqual(file);
    expect(pauses[1]).toBe(7000);
    await source.close();
  });

  it.each([
    [404, 'NOT_FOUND_REMOTE_FILE', 1],
    [410, 'NOT_FOUND_REMOTE_FILE', 1],
    [401, 'REMOTE_REFUSED', 1],
    [403, 'REMOTE_REFUSED', 1],
    [500, 'REMOTE_STATUS', 5],
    [503, 'REMOTE_STATUS', 5],
    [400, 'REMOTE_STATUS', 1],
    [204, 'REMOTE_STATUS', 1],
    [304, 'REMOTE_STATUS', 1],
  ] as const)('answers %i: %s', async (status, code, requests) => {
    await start((_, response) => response.writeHead(status).end());
    const { source } = impatientSource(server.url);
    const error = await codeOfAsync(() => collect(source.open('a', { limit })), code);
    expect(error.details.where).toBe(`${server.url}/a`);
    expect(server.requests).toHaveLength(requests);
    await source.close();
  });

  it('is no web server: REMOTE_PROTOCOL', async () => {
    await start((request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit })), 'REMOTE_PROTOCOL');
    await source.close();
  });
});
