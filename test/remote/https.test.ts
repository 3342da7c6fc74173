import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../support/code-of.ts';
import { collect, impatientSource, LoopbackServer } from './loopback-server.ts';

const file = randomBytes(100_000);
const noOpenssl = spawnSync('openssl', ['version']).error !== undefined;

describe.skipIf(noOpenssl)('reading over HTTPS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-tls-'));
  const certificate = join(folder, 'certificate.pem');
  let server: Server;
  let port = 0;

  beforeAll(async () => {
    const key = join(folder, 'key.pem');
    spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost'],
    ]);
    const identity = { key: readFileSync(key), cert: readFileSync(certificate) };
    server = createServer(identity, (request, response) => {
      if (request.url === '/repo/insecure') {
        response.writeHead(302, { location: 'http://localhost:1/x' }).end();
      } else response.setHeader('content-length', file.length).end(file);
    }).listen(0, 'localhost');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('refuses a certificate that nobody vouches for, at once', async () => {
    const { source, pauses } = impatientSource(`https://localhost:${port}/repo`);
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_CERTIFICATE');
    expect(pauses).toEqual([]);
    await source.close();
  });

  it.each([
    ['reads from a server whose certificate is trusted', 'localhost', 'a', `read ${file.length}`],
    ['refuses it under another name', '127.0.0.1', 'a', 'REMOTE_CERTIFICATE'],
    ['refuses to be led from https to http', 'localhost', 'insecure', 'REMOTE_REDIRECT'],
  ])('%s', async (_, host, path, expected) => {
    // Node reads NODE_EXTRA_CA_CERTS when it starts.
    const program = `
      import { openSource } from './src/remote/open-source.ts';
      const source = await openSource('https://${host}:${port}/repo');
      let length = 0;
      try {
        for await (const piece of source.open('${path}', { limit: 1e6 })) length += piece.length;
        console.log('read ' + length);
      } catch (error) {
        console.log(error.code);
      }`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // It must also end by itself: kept connections may not keep the process.
    expect((await collect(child.stdout)).toString().trim()).toBe(expected);
  });

  it('tells a server without TLS from one without a certificate', async () => {
    const plain = await LoopbackServer.start((_, response) => response.end());
    const { source } = impatientSource(plain.url.replace('http:', 'https:'));
    await codeOfAsync(() => collect(source.open('a', { limit: 1e6 })), 'REMOTE_PROTOCOL');
    await source.close();
    await plain.stop();
  });
});
