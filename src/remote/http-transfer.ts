import type { IncomingHttpHeaders } from 'node:http';
import { PineError } from '../error.ts';
import { Interruption } from './interruption.ts';

/** What the next response's body is: how many of its first bytes we have already, and where it ends. */
export interface ExpectedBody {
  readonly skip: number;
  /** The position in the file after the body's last byte; `undefined` when it comes in chunks. */
  readonly end: number | undefined;
}

/**
 * One file on its way, over as many connections as it takes: how far it is, and whether an answer
 * continues the same file. Knows nothing of sockets.
 */
export class Transfer {
  readonly #where: string;
  readonly #limit: number;
  /** The next byte that is wanted. */
  position: number;
  /** Bytes of the whole file, once an answer has told them. */
  total: number | undefined;
  #validator: string | undefined;

  constructor(where: string, limit: number, from: number) {
    this.#where = where;
    this.#limit = limit;
    this.position = from;
  }

  /** The headers that ask for the rest, and only of the file that we know. */
  requestHeaders(): Record<string, string> {
    if (this.position === 0) return {};
    const range = { range: `bytes=${this.position}-` };
    // A weak ETag is not allowed in If-Range (RFC 9110, section 13.1.5).
    const strong = this.#validator !== undefined && !this.#validator.startsWith('W/');
    return strong ? { ...range, 'if-range': this.#validator ?? '' } : range;
  }

  /**
   * Judges the head of a 200, 206 or 416 response. `undefined`: there is nothing left to read.
   * Throws REMOTE_RANGE, REMOTE_CHANGED, REMOTE_NO_LENGTH, REMOTE_ENCODED, CORRUPT_TOO_LARGE.
   */
  accept(status: number, headers: IncomingHttpHeaders): ExpectedBody | undefined {
    if (status === 416) return this.#acceptEnd(headers);
    this.#checkEncoding(headers);
    this.#checkValidator(headers);
    return status === 206 ? this.#acceptRange(headers) : this.#acceptWhole(headers);
  }

  /** Counts bytes that arrived; throws CORRUPT_TOO_LARGE beyond the limit (S5). */
  advance(length: number): void {
    this.position += length;
    if (this.position > this.#limit) throw this.#tooLarge('more');
  }

  /** Throws an Interruption when the file is known to go on. */
  checkEnd(): void {
    if (this.total === undefined || this.position === this.total) return;
    throw new Interruption('REMOTE_BROKEN', {
      expected: `${this.total} bytes`,
      found: `an end after ${this.position}`,
    });
  }

  #acceptWhole(headers: IncomingHttpHeaders): ExpectedBody {
    const length = headers['content-length'];
    if (length === undefined && headers['transfer-encoding'] === undefined) {
      throw this.#error('REMOTE_NO_LENGTH', 'the remote does not say how long its files are', {
        expected: 'a Content-Length, or a body in chunks',
        found: 'a body that ends when the connection does, as a broken one would',
        remedy: 'use another web server or proxy',
      });
    }
    const end = length === undefined ? undefined : Number(length);
    if (end !== undefined) this.#learnTotal(end);
    if (end !== undefined && end < this.position) throw this.#changed(`${end} bytes in all`);
    return { skip: this.position, end };
  }

  #acceptRange(headers: IncomingHttpHeaders): ExpectedBody {
    const text = headers['content-range'] ?? 'none';
    const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text);
    const [start, last, total] = (match ?? []).slice(1).map(Number);
    const valid =
      start !== undefined &&
      last !== undefined &&
      start === this.position &&
      last >= start &&
      // Not a number stands for `*`: the length is not known.
      !(total !== undefined && total <= last) &&
      this.position > 0;
    if (!valid) {
      throw this.#error('REMOTE_RANGE', 'the remote sent another part than was asked for', {
        expected: this.position === 0 ? 'the whole file' : `bytes from ${this.position} on`,
        found: `Content-Range: ${text}`,
        remedy: 'use another web server or proxy',
      });
    }
    if (total !== undefined && !Number.isNaN(total)) this.#learnTotal(total);
    return { skip: 0, end: last + 1 };
  }

  #acceptEnd(headers: IncomingHttpHeaders): undefined {
    const total = /^bytes \*\/(\d{1,15})$/.exec(headers['content-range'] ?? '')?.[1];
    if (total !== undefined && Number(total) === this.position && this.position > 0)
      return undefined;
    throw this.#changed(total === undefined ? 'no such part' : `${total} bytes in all`);
  }

  #learnTotal(total: number): void {
    if (this.total !== undefined && this.total !== total) {
      throw this.#changed(`${total} bytes in all, ${this.total} before`);
    }
    this.total = total;
    // S5: before the first byte of the body is read.
    if (total > this.#limit) throw this.#tooLarge(`${total}`);
  }

  #checkValidator(headers: IncomingHttpHeaders): void {
    const validator = headers.etag ?? headers['last-modified'];
    if (this.#validator !== undefined && validator !== this.#validator) {
      throw this.#changed(`${validator ?? 'no validator'}, ${this.#validator} before`);
    }
    this.#validator = validator;
  }

  #checkEncoding(headers: IncomingHttpHeaders): void {
    const content = headers['content-encoding'] ?? 'identity';
    const transfer = headers['transfer-encoding'] ?? 'chunked';
    if (content.toLowerCase() === 'identity' && transfer.toLowerCase() === 'chunked') return;
    throw this.#error('REMOTE_ENCODED', 'the remote sent the file in an encoding', {
      expected: 'the bytes as they are',
      found: content === 'identity' ? transfer : content,
      remedy: 'switch compression off for the repository in the web server or proxy',
    });
  }

  #changed(found: string): PineError {
    return this.#error('REMOTE_CHANGED', 'the file changed while it was read', {
      expected: `the same file as at the start, to go on from byte ${this.position}`,
      found,
      remedy: 'run the command again',
    });
  }

  #tooLarge(found: string): PineError {
    return this.#error('CORRUPT_TOO_LARGE', 'the file is larger than it can be', {
      expected: `at most ${this.#limit} bytes`,
      found: `${found} bytes`,
      remedy: 'check the repository with `pinectl fsck`, and that the URL is right',
    });
  }

  #error(
    code: ConstructorParameters<typeof PineError>[0],
    summary: string,
    details: { expected: string; found: string; remedy: string },
  ): PineError {
    return new PineError(code, summary, { ...details, where: this.#where });
  }
}
