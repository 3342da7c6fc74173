import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { createStaticServer } from '../serve/static-server.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly port: number;
  readonly host: string;
}

/** `pinectl serve`: a repository over HTTP, for trying things out. */
export function define(command: Command): void {
  repositoryOptions(command)
    .option('--port <number>', 'the port to listen on; 0 for any that is free', parsePort, 8080)
    .option('--host <address>', 'the address to listen on; 0.0.0.0 for all', parseHost, '127.0.0.1')
    .addHelpText(
      'after',
      `
Serves files with ranges and caching headers until it is stopped (Ctrl-C). Whoever reaches the
address can read the repository. For real use take a web server: docs/serving.md.

Examples:
  pinectl serve --repo repo
  pinectl serve --repo repo --host 0.0.0.0 --port 8000`,
    )
    .action(serve);
}

async function serve(options: Options): Promise<void> {
  const { path } = await openRepository(options);
  const server = createStaticServer(path);
  server.listen(options.port, options.host);
  // A port that is taken comes out of here as an error.
  await once(server, 'listening');
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  print(options.json, { url, repository: path }, () => `serving ${path} at ${url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
  await once(server, 'close');
}

/** Node.js would take an empty one, such as a variable that is not set, for all addresses. */
function parseHost(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('expected an address.');
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new InvalidArgumentError('expected a number from 0 to 65535.');
}
