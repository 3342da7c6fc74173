import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';

/** Serves a folder on loopback and counts what it sends, without the heads of responses. */
export class CountingServer {
  sent = 0;
  requests = 0;
  readonly #server;

  private constructor(folder: string) {
    this.#server = createServer((request, response) => this.#answer(folder, request, response));
  }

  static async start(folder: string): Promise<CountingServer> {
    const server = new CountingServer(folder);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.sent = 0;
    this.requests = 0;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
    this.requests += 1;
    const path = join(folder, join('/', new URL(request.url ?? '/', this.url).pathname));
    const status = statSync(path, { throwIfNoEntry: false });
    if (!status?.isFile()) {
      response.writeHead(404, { 'content-length': 0 }).end();
      return;
    }
    response.setHeader('content-length', status.size);
    const file = createReadStream(path);
    file.on('data', (piece) => {
      this.sent += piece.length;
    });
    pipeline(file, response, () => {});
  }
}
