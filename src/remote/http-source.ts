import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { PineError } from '../error.ts';
import type { ByteSource, ReadOptions } from '../ports/byte-source.ts';
import { splitPath } from './file-name.ts';
import { discardBody, readBody } from './http-body.ts';
import { Connections } from './http-request.ts';
import { statusError } from './http-status.ts';
import { Transfer } from './http-transfer.ts';
import { Interruption } from './interruption.ts';
import { printableUrl, type RemoteUrl } from './remote-url.ts';
import { defaultTimeouts, type Pause, type Timeouts } from './timeouts.ts';

const maxRedirects = 5;
/** So much new data makes up for the failures before it: a long file may break more often than a short one. */
const bytesThatMakeUp = 1024 * 1024;

/** Reads a repository over HTTP or HTTPS. A broken connection is taken up again where it stopped. */
export class HttpSource implements ByteSource {
  readonly name: string;
  readonly #remote: RemoteUrl;
  readonly #timeouts: Timeouts;
  readonly #pause: Pause;
  readonly #connections = new Connections();

  constructor(remote: RemoteUrl, options: { timeouts?: Timeouts; pause?: Pause } = {}) {
    this.name = printableUrl(remote.base);
    this.#remote = remote;
    this.#timeouts = options.timeouts ?? defaultTimeouts;
    this.#pause = options.pause ?? wait;
  }

  async *open(path: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const names = splitPath(path, this.name).map(encodeURIComponent);
    const url = new URL(names.join('/'), this.#remote.base);
    const transfer = new Transfer(printableUrl(url), options.limit, options.from ?? 0);
    const { pauses } = this.#timeouts;
    let failures = 0;
    let failedAt = transfer.position;
    for (;;) {
      try {
        yield* this.#attempt(url, transfer, options.onSize);
        return;
      } catch (error) {
        if (!(error instanceof Interruption)) throw error;
        // Each stale connection is gone after its one failure, so their number is bounded.
        if (error.stale) continue;
        if (transfer.position - failedAt >= bytesThatMakeUp) failures = 0;
        failedAt = transfer.position;
        const pause = pauses[failures];
        failures += 1;
        if (pause === undefined) throw error.toError(printableUrl(url), failedAt, failures);
        await this.#pause(error.retryAfter ?? pause * (0.5 + Math.random()));
      }
    }
  }

  async close(): Promise<void> {
    this.#connections.close();
  }

  /** Reads on until the end of the file or of the connection. */
  async *#attempt(
    url: URL,
    transfer: Transfer,
    onSize: ReadOptions['onSize'],
  ): AsyncGenerator<Uint8Array> {
    const where = printableUrl(url);
    const response = await this.#request(url, transfer.requestHeaders());
    let { skip, end } = this.#accept(response, transfer, where) ?? { skip: 0, end: 0 };
    if (transfer.total !== undefined) onSize?.(transfer.total);
    if (end === 0) {
      discardBody(response);
      return;
    }
    let position = transfer.position - skip;
    for await (const piece of readBody(response, where, this.#timeouts)) {
      position += piece.length;
      if (end !== undefined && position > end) break;
      const skipped = Math.min(skip, piece.length);
      skip -= skipped;
      transfer.advance(piece.length - skipped);
      if (skipped < piece.length) yield piece.subarray(skipped);
    }
    transfer.checkEnd();
  }

  #accept(response: IncomingMessage, transfer: Transfer, where: string) {
    try {
      const status = response.statusCode ?? 0;
      if (status !== 200 && status !== 206 && status !== 416) throw statusError(response, where);
      return transfer.accept(status, response.headers);
    } catch (error) {
      discardBody(response);
      throw error;
    }
  }

  /** Sends the request and follows redirects; never from https to http, and never with our credentials to another host. */
  async #request(url: URL, headers: Record<string, string>): Promise<IncomingMessage> {
    let target = url;
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const response = await this.#connections.send(
        target,
        {
          'accept-encoding': 'identity',
          'user-agent': 'pinectl',
          ...headers,
          ...this.#login(target),
        },
        this.#timeouts,
      );
      const status = response.statusCode ?? 0;
      if (![301, 302, 303, 307, 308].includes(status)) return response;
      discardBody(response);
      target = nextTarget(target, response.headers.location ?? '');
    }
    throw redirectError(url, `more than ${maxRedirects} redirects`);
  }

  #login(target: URL): Record<string, string> {
    const { authorization, base } = this.#remote;
    return authorization !== undefined && target.origin === base.origin ? { authorization } : {};
  }
}

function nextTarget(from: URL, location: string): URL {
  const next =
    location !== '' && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (next === undefined || !/^https?:$/.test(next.protocol)) {
    throw redirectError(from, 'a redirect to nowhere');
  }
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw redirectError(from, 'a redirect from https to http');
  }
  next.username = '';
  next.password = '';
  return next;
}

function redirectError(url: URL, found: string): PineError {
  return new PineError('REMOTE_REDIRECT', 'the remote sends us elsewhere', {
    expected: `the file, or at most ${maxRedirects} redirects to it`,
    found,
    where: printableUrl(url),
    remedy: 'give the URL that the redirects lead to',
  });
}
