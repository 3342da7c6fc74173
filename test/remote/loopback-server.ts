import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { HttpSource } from '../../src/remote/http-source.ts';
import { parseRemoteUrl } from '../../src/remote/remote-url.ts';
import { defaultTimeouts, type Timeouts } from '../../src/remote/timeouts.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, number: number) => void;

/** A web server on loopback whose every answer the test decides, and that counts what it was asked. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What each request asked for: `GET /path`, and its Range. */
  readonly requests: {
    path: string;
    range: string | undefined;
    headers: IncomingMessage['headers'];
  }[] = [];
  connections = 0;

  private constructor(handler: Handler) {
    this.#server = createServer((request, response) => {
      this.requests.push({
        path: request.url ?? '',
        range: request.headers.range,
        headers: request.headers,
      });
      handler(request, response, this.requests.length);
    });
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(handler: Handler): Promise<LoopbackServer> {
    const server = new LoopbackServer(handler);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/repo`;
  }

  /** Stops at once, as a machine that lost its power. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Timeouts in which a test can wait for the worst. */
export const quick: Timeouts = { ...defaultTimeouts, connect: 1000, idle: 150 };

/** A source that notes its pauses instead of waiting. */
export function impatientSource(url: string, timeouts: Partial<Timeouts> = {}) {
  const pauses: number[] = [];
  const source = new HttpSource(parseRemoteUrl(url), {
    timeouts: { ...quick, ...timeouts },
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  });
  return { source, pauses };
}

/** All of a stream. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Serves `file` as a good web server does: ranges, If-Range, 206 and 416. */
export function serve(
  request: IncomingMessage,
  response: ServerResponse,
  file: Buffer,
  etag = '"one"',
): { start: number; body: Buffer } {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const condition = request.headers['if-range'];
  response.setHeader('etag', etag);
  if (start === 0 || (condition !== undefined && condition !== etag)) {
    response.setHeader('content-length', file.length);
    return { start: 0, body: file };
  }
  if (start >= file.length) {
    response.statusCode = 416;
    response.setHeader('content-range', `bytes */${file.length}`);
    return { start, body: Buffer.alloc(0) };
  }
  response.statusCode = 206;
  response.setHeader('content-range', `bytes ${start}-${file.length - 1}/${file.length}`);
  response.setHeader('content-length', file.length - start);
  return { start, body: file.subarray(start) };
}
