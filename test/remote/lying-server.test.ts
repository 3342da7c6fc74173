import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../support/code-of.ts';
import { collect, impatientSource, LoopbackServer, serve } from './loopback-server.ts';

const file = randomBytes(100_000);
let server: LoopbackServer;
const start = async (handler: Parameters<typeof LoopbackServer.start>[0]) => {
  server = await LoopbackServer.start(handler);
};
afterEach(() => server.stop());

/** Breaks the first answer after half the file; `next` decides about what follows. */
const breakFirst = (next: (response: ServerResponse) => void) =>
  start((request, response, number) => {
    if (number > 1) return next(response);
    const { body } = serve(request, response, file);
    response.write(body.subarray(0, 50_000), () => response.destroy());
  });

describe('S5: a server that lies', () => {
  it('announces more than can be: refused before a byte is read', async () => {
    let written = 0;
    await start((_, response) => {
      response.setHeader('content-length', 10_000_000);
      response.write(file, () => {
        written += file.length;
      });
    });
    const { source } = impatientSource(server.url);
    let read = 0;
    const error = await codeOfAsync(async () => {
      for await (const piece of source.open('a', { limit: 99_999 })) read += piece.length;
    }, 'CORRUPT_TOO_LARGE');
    expect(error.details.found).toContain('10000000');
    expect(read).toBe(0);
    // An answer that a busy machine has too late is asked for once more.
    expect(written).toBeLessThanOrEqual(file.length * server.requests.length);
    await source.close();
  });

  it('sends without an end: never more than the limit comes out', async () => {
    await start((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(file));
      };
      response.on('drain', more);
      more();
    });
    const { source } = impatientSource(server.url);
    let read = 0;
    await codeOfAsync(async () => {
      for await (const piece of source.open('a', { limit: 2_000_000 })) read += piece.length;
    }, 'CORRUPT_TOO_LARGE');
    expect(read).toBeLessThanOrEqual(2_000_000);
    expect(server.requests).toHaveLength(1);
    await source.close();
  });

  it('announces more than it has, each time: REMOTE_BROKEN', async () => {
    await start((_, response) => {
      response.setHeader('content-length', file.length + 1).write(file, () => response.destroy());
    });
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_BROKEN');
    await source.close();
  });

  it('announces less than it sends: what comes is no longer than announced', async () => {
    await start((request) => {
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
      request.socket.end(Buffer.concat([Buffer.from(head), file]));
    });
    const { source } = impatientSource(server.url);
    const read = await collect(source.open('a', { limit: 1e6 }));
    expect(read.equals(file.subarray(0, 1000))).toBe(true);
    await source.close();
  });

  it('does not say how long the file is: an end can not be told from a break', async () => {
    await start((request) => {
      request.socket.end(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), file]));
    });
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_NO_LENGTH');
    await source.close();
  });

  it.each(['gzip', 'br', 'x-unknown'])('sends it in the encoding %s', async (encoding) => {
    await start((_, response) => {
      response.setHeader('content-encoding', encoding).end(gzipSync(file));
    });
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_ENCODED');
    await source.close();
  });

  it.each([
    ['another part', 'bytes 0-49999/100000'],
    ['a later part', 'bytes 50001-99999/100000'],
    ['a part in another unit', 'lines 50000-99999/100000'],
    ['a part that ends before it starts', 'bytes 50000-40000/100000'],
    ['a part beyond the end', 'bytes 50000-100000/100000'],
    ['a part without saying which', undefined],
  ])('sends %s', async (_, range) => {
    await breakFirst((response) => {
      response.statusCode = 206;
      response.setHeader('etag', '"one"');
      if (range !== undefined) response.setHeader('content-range', range);
      response.end(file.subarray(50_000));
    });
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_RANGE');
    await source.close();
  });

  it('sends a part that was not asked for', async () => {
    await start((_, response) => {
      response.statusCode = 206;
      response.setHeader('content-range', 'bytes 0-99999/100000').end(file);
    });
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_RANGE');
    await source.close();
  });

  it('sends the rest in ever shorter parts: each is asked for anew', async () => {
    await start((request, response, number) => {
      const { body, start: from } = serve(request, response, file);
      if (number === 1) {
        response.write(body.subarray(0, 40_000), () => response.destroy());
        return;
      }
      const part = number === 2 ? body.subarray(0, 10_000) : body;
      response.setHeader('content-range', `bytes ${from}-${from + part.length - 1}/${file.length}`);
      response.setHeader('content-length', part.length).end(part);
    });
    const { source } = impatientSource(server.url);
    expect((await collect(source.open('a', { limit: 1e6 }))).equals(file)).toBe(true);
    expect(server.requests).toHaveLength(3);
    await source.close();
  });

  it('has another file by now: 200 with a new ETag', async () => {
    await breakFirst((response) => {
      response.setHeader('etag', '"two"').setHeader('content-length', file.length).end(file);
    });
    const { source } = impatientSource(server.url);
    const error = await codeOfAsync(
      () => collect(source.open('a', { limit: 1e6 })),
      'REMOTE_CHANGED',
    );
    expect(error.details.found).toContain('"two"');
    await source.close();
  });

  it.each([
    ['206 of another ETag', 206, { etag: '"two"', 'content-range': 'bytes 50000-99999/100000' }],
    ['206 of a longer file', 206, { etag: '"one"', 'content-range': 'bytes 50000-100000/100001' }],
    ['200 of a shorter file', 200, { etag: '"one"', 'content-length': '40000' }],
    ['416 of a shorter file', 416, { etag: '"one"', 'content-range': 'bytes */40000' }],
    ['416 without a length', 416, {}],
  ])('has another file by now: %s', async (_, status, headers) => {
    await breakFirst((response) => response.writeHead(status, headers).end());
    const { source } = impatientSource(server.url);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_CHANGED');
    await source.close();
  });

  it('redirects: followed, without the password when it leads to another host', async () => {
    const other = await LoopbackServer.start((request, response) => {
      response.end(serve(request, response, file).body);
    });
    await start((request, response) => {
      if (request.url === '/repo/moved') response.writeHead(302, { location: 'here' }).end();
      else response.writeHead(307, { location: `${other.url}/there` }).end();
    });
    const { source } = impatientSource(server.url.replace('//', '//me:s3cret@'));
    expect(source.name).not.toContain('s3cret');
    expect(await collect(source.open('moved', { limit: 1e6 }))).toEqual(file);
    const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;
    expect(server.requests.map((request) => request.headers.authorization)).toEqual([basic, basic]);
    expect(other.requests.map((request) => request.headers.authorization)).toEqual([undefined]);
    await source.close();
    await other.stop();
  });

  it.each([
    ['in a circle', 'a', 6],
    ['to nowhere', undefined, 1],
    ['to a file', 'file:///etc/passwd', 1],
  ])('redirects %s', async (_, location, requests) => {
    await start((_, response) => {
      response.writeHead(302, location === undefined ? {} : { location }).end();
    });
    const { source } = impatientSource(server.url.replace('//', '//me:s3cret@'));
    const error = await codeOfAsync(
      () => collect(source.open('a', { limit: 1e6 })),
      'REMOTE_REDIRECT',
    );
    expect(JSON.stringify(error)).not.toContain('s3cret');
    expect(server.requests).toHaveLength(requests);
    await source.close();
  });
});
