import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Repository } from '../../src/repo/repository.ts';
import { createStaticServer } from '../../src/serve/static-server.ts';
import { quick } from '../repo/support/quick.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { missing } from '../support/requirements.ts';

const folder = temporaryFolder();
const sum = createHash('sha256').update('x').digest('hex');
const object = `objects/${sum.slice(0, 2)}/${sum.slice(2)}.filez`;
const content = Buffer.from('0123456789'.repeat(30_000));

let server: Server;
let nginx: Nginx | undefined;
const bases = { ours: '', nginx: '' };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request whose path nothing makes right before it is sent. */
function ask(base: string, path: string, headers = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port, pathname } = new URL(base);
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path: `${pathname}${path}`, headers, method };
    request(options, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces),
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

beforeAll(async () => {
  const { path } = await Repository.init(join(folder, 'repo'), quick);
  mkdirSync(join(path, object, '..'), { recursive: true });
  writeFileSync(join(path, object), content);
  writeFileSync(join(path, 'refs/heads/empty'), '');
  writeFileSync(join(path, 'state/secret'), 'secret');
  writeFileSync(join(folder, 'outside'), 'outside');
  symlinkSync('../outside', join(path, 'leads-out'));
  server = createStaticServer(path);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bases.ours = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  if (missing('nginx') !== undefined) return;
  nginx = await startNginx(folder, join(folder, 'nginx'));
  bases.nginx = `${nginx.url}/repo/`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await nginx?.stop();
});

describe.skipIf(missing('nginx') !== undefined)('answers as nginx does', () => {
  test.each([
    [object, {}],
    [object, { range: 'bytes=0-0' }],
    [object, { range: 'bytes=10-19' }],
    [object, { range: 'bytes=299990-' }],
    [object, { range: 'bytes=299990-999999999' }],
    [object, { range: 'bytes=-7' }],
    [object, { range: 'bytes=-999999999' }],
    [object, { range: 'bytes=300000-' }],
    [object, { range: 'lines=1-2' }],
    [object, { range: 'bytes=10-19', 'if-range': '"another"' }],
    ['config', {}],
    ['refs/heads/empty', {}],
    ['none', {}],
    ['refs', {}],
    ['state/secret', {}],
    ['tmp/x', {}],
  ])('%s %j', async (path, headers) => {
    for (const method of ['GET', 'HEAD']) {
      const ours = await ask(bases.ours, path, headers, method);
      const theirs = await ask(bases.nginx, path, headers, method);
      // A folder: nginx sends to the name with a slash, which is not there either.
      const status = theirs.status === 301 ? 404 : theirs.status;
      expect(ours.status).toBe(status);
      if (status >= 300) continue;
      for (const name of ['content-length', 'content-range', 'cache-control', 'accept-ranges']) {
        expect([name, ours.headers[name]]).toEqual([
          name,
          theirs.headers[name] ?? ours.headers[name],
        ]);
      }
      expect(ours.body.equals(theirs.body)).toBe(true);
    }
  });

  test('what has not changed is not sent again; ranges go on only of the same file', async () => {
    for (const base of [bases.ours, bases.nginx]) {
      const { headers } = await ask(base, object);
      const { etag = '' } = headers;
      expect((await ask(base, object, { 'if-none-match': etag })).status).toBe(304);
      const rest = await ask(base, object, { 'if-range': etag, range: 'bytes=5-' });
      expect([rest.status, rest.body.length]).toEqual([206, content.length - 5]);
    }
  });
});

describe('leads nowhere else', () => {
  test.each([
    '../outside',
    '..%2foutside',
    '%2e%2e/outside',
    'objects/../../outside',
    'objects//../../outside',
    '/etc/passwd',
    'leads-out',
    'state/secret',
    'state%2fsecret',
    './state/secret',
    'config%00',
    '%zz',
  ])('%s', async (path) => {
    const { status, body } = await ask(bases.ours, path);
    expect([status, body.length]).toEqual([404, 0]);
  });

  test('nothing is written: 405', async () => {
    for (const method of ['PUT', 'POST', 'DELETE']) {
      expect((await ask(bases.ours, 'config', {}, method)).status).toBe(405);
    }
  });
});
