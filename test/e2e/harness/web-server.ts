import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

/** A folder behind HTTP on the host's loopback. */
export interface WebServer {
  /** The port on 127.0.0.1; a guest reaches it at 10.0.2.2. */
  readonly port: number;
  /** Bytes of bodies sent so far. */
  readonly sent: () => number;
  /** Requests answered so far, as `200 /config`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Serves a folder as a plain static server does, with ranges. */
export async function serveFolder(folder: string): Promise<WebServer> {
  let sent = 0;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '/').replace(/\?.*/, '')));
    const file = join(folder, path);
    const status = statSync(file, { throwIfNoEntry: false });
    const answer = (code: number, headers: Record<string, string | number> = {}) => {
      requests.push(`${code} ${path}`);
      response.writeHead(code, headers);
    };
    if (path.includes('..') || status === undefined || !status.isFile()) {
      answer(404);
      response.end();
      return;
    }
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(first ?? 0);
    const end = last ? Math.min(Number(last), status.size - 1) : status.size - 1;
    if (first !== undefined && start >= status.size) {
      answer(416, { 'content-range': `bytes */${status.size}` });
      response.end();
      return;
    }
    answer(first === undefined ? 200 : 206, {
      'content-length': end - start + 1,
      'accept-ranges': 'bytes',
      ...(first === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${status.size}` }),
    });
    if (request.method === 'HEAD' || status.size === 0) {
      response.end();
      return;
    }
    createReadStream(file, { start, end })
      .on('data', (part) => {
        sent += part.length;
      })
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => sent,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
