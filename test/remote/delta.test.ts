import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { collect, impatientSource, LoopbackServer, serve } from './loopback-server.ts';

const [from, to] = ['a'.repeat(64), 'b'.repeat(64)];
const delta = randomBytes(300_000);
let server: LoopbackServer;
beforeAll(async () => {
  server = await LoopbackServer.start((request, response) => {
    if (request.url !== `/repo/pine/deltas/${to}/${from}.delta`) {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.end(serve(request, response, delta).body);
  });
});
afterAll(() => server.stop());

const fetch = (ends: { from: string; to: string }, at = 0) => {
  const repository = new RemoteRepository(impatientSource(server.url).source);
  return collect(repository.fetchDelta(ends, { limit: 1_000_000, from: at }));
};

it('a delta comes from any byte on', async () => {
  expect((await fetch({ from, to })).equals(delta)).toBe(true);
  expect((await fetch({ from, to }, 123_456)).equals(delta.subarray(123_456))).toBe(true);
});

it('is told of by its size before its first byte, wherever it is read from', async () => {
  const repository = new RemoteRepository(impatientSource(server.url).source);
  for (const at of [0, 123_456]) {
    const told: (number | string)[] = [];
    const onSize = (bytes: number) => told.push(bytes);
    const stream = repository.fetchDelta({ from, to }, { limit: 1_000_000, from: at, onSize });
    for await (const _ of stream) told.push('a piece');
    expect(told.slice(0, 2)).toEqual([delta.length, 'a piece']);
  }
  await repository.close();
});

it('is named without a second slash behind that of the URL', async () => {
  const repository = new RemoteRepository(impatientSource(server.url).source);
  const error = await codeOfAsync(() => repository.resolveRef('web'), 'NOT_FOUND_REMOTE_REF');
  expect(error.details.where).toBe(`${server.url}/refs/heads/web`);
  await repository.close();
});

it('one that is not there, or has become shorter, is told from a remote that is not there', async () => {
  await codeOfAsync(() => fetch({ from: to, to: from }), 'NOT_FOUND_REMOTE_FILE');
  await codeOfAsync(() => fetch({ from, to }, 400_000), 'REMOTE_CHANGED');
});
