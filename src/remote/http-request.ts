import type { Agent, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import { Interruption, networkError } from './interruption.ts';
import { printableUrl } from './remote-url.ts';
import type { Timeouts } from './timeouts.ts';

/** Connections that are kept for the next request, one set per protocol. Loaded when first used. */
export class Connections {
  readonly #agents = new Map<string, Agent>();

  async send(url: URL, headers: OutgoingHttpHeaders, timeouts: Timeouts) {
    // node:http rather than fetch: fetch costs 20 MB more, and hides connections and lengths.
    const http = loadModule(url.protocol);
    let agent = this.#agents.get(url.protocol);
    if (agent === undefined) {
      agent = new http.Agent({ keepAlive: true, maxSockets: 8, scheduling: 'lifo' });
      this.#agents.set(url.protocol, agent);
    }
    return sendRequest(http.request, url, { agent, headers }, timeouts);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

/**
 * Importing node:http instead would ask for everything that it exports, and so load the WebSocket client, with HTTP/2 and TLS:
 * 6 MB (S9).
 */
function loadModule(protocol: string): Http {
  return process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');
}

type Http = Pick<typeof import('node:http'), 'request' | 'Agent'>;
type Request = Http['request'];

/** Resolves with the head of the response; its body is not read yet, and must be read or destroyed. */
function sendRequest(
  send: Request,
  url: URL,
  options: RequestOptions,
  timeouts: Timeouts,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = send(url, options);
    const give = (milliseconds: number, expected: string) =>
      setTimeout(() => {
        const found = `nothing for ${milliseconds / 1000} s`;
        request.destroy(new Interruption('REMOTE_TIMEOUT', { expected, found }));
      }, milliseconds);
    let timer = give(timeouts.connect, 'a connection');
    request.once('socket', (socket) => {
      const connected = () => {
        clearTimeout(timer);
        timer = give(timeouts.idle, 'an answer');
      };
      if (!socket.connecting) connected();
      else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
    });
    request.once('response', (response) => {
      clearTimeout(timer);
      // Whoever reads the body sees its errors; one that is thrown away may fail unheard.
      response.on('error', () => {});
      resolve(response);
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(networkError(error, printableUrl(url), request.reusedSocket));
    });
    request.end();
  });
}
