import { type ErrorCode, PineError } from '../error.ts';

/** A failure on the way that may pass: worth another attempt. What the user sees comes of the last one. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly code: ErrorCode;
  readonly found: string;
  readonly expected: string;
  /** Milliseconds that the server asked us to wait. */
  readonly retryAfter: number | undefined;
  /** A kept connection that turned out to be closed: says nothing about the server. */
  readonly stale: boolean;

  constructor(
    code: ErrorCode,
    details: { expected: string; found: string; retryAfter?: number | undefined; stale?: boolean },
  ) {
    super(details.found);
    this.code = code;
    this.found = details.found;
    this.expected = details.expected;
    this.retryAfter = details.retryAfter;
    this.stale = details.stale ?? false;
  }

  toError(where: string, position: number, attempts: number): PineError {
    return new PineError(this.code, 'the remote could not be read', {
      expected: this.expected,
      found: `${this.found} (at byte ${position}, after ${attempts} attempts)`,
      where,
      remedy: 'check the network and the server, then run the command again',
      cause: this,
    });
  }
}

const unreachable = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EHOSTDOWN|EAI_AGAIN)$/;
const certificate = /CERT|SIGNATURE|ISSUER|INVALID_CA|INVALID_PURPOSE|HOSTNAME/;
const protocol = /^(HPE_|EPROTO$|ERR_SSL_|ERR_TLS_)/;

/** What an error of node:http means: an Interruption where another attempt may help, else a PineError. */
export function networkError(error: unknown, where: string, stale: boolean): Error {
  if (error instanceof Interruption || error instanceof PineError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const found = code === '' || message.includes(code) ? message : `${code} ${message}`.trim();
  if (code === 'ENOTFOUND') {
    return new PineError('REMOTE_NAME', 'the remote has no address', {
      expected: 'a host name that can be looked up',
      found,
      where,
      remedy: 'check the URL, /etc/resolv.conf and the network',
      cause: error,
    });
  }
  if (certificate.test(code)) {
    return new PineError('REMOTE_CERTIFICATE', 'the remote can not prove who it is', {
      expected: 'a TLS certificate for this host that is valid today',
      found,
      where,
      remedy: 'check the clock and the URL; for a certificate of your own set NODE_EXTRA_CA_CERTS',
      cause: error,
    });
  }
  if (protocol.test(code)) {
    return new PineError('REMOTE_PROTOCOL', 'the remote does not speak HTTP as it should', {
      expected: 'HTTP/1.1, over TLS if the URL says https',
      found,
      where,
      remedy: 'check that the URL and its port are those of a web server',
      cause: error,
    });
  }
  if (unreachable.test(code)) {
    return new Interruption('REMOTE_UNREACHABLE', { expected: 'a connection', found, stale });
  }
  return new Interruption('REMOTE_BROKEN', {
    expected: 'a connection that lasts until the end of the file',
    found: found || 'the connection was closed',
    stale,
  });
}
