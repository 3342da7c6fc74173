import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { PineError } from '../../src/error.ts';
import { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { makeDeltaOfObjects, type OfferedDelta } from '../crash/world/delta.ts';
import { judge, slotProblem } from '../crash/world/judge.ts';
import { keepAll } from '../crash/world/loss.ts';
import type { Release } from '../crash/world/release.ts';
import { makeReleases, type Releases, upgradeOptions } from '../crash/world/releases.ts';
import { repositoryFiles } from '../crash/world/repository-files.ts';
import { afterCut, deploymentA, machineOf, makeWorld, type World } from '../crash/world/world.ts';
import { randomSource } from '../fuzz/mutate.ts';
import { impatientSource, LoopbackServer, serve } from '../remote/loopback-server.ts';

let releases: Releases;
let base: World;
let direct: OfferedDelta;
let chain: readonly OfferedDelta[];
let server: LoopbackServer;

beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2 } = releases;
  base = await makeWorld({ a: v0, b: v1, order: [1, 2] });
  direct = await link(v0, v2);
  chain = [await link(v0, v1), await link(v1, v2)];
});
afterEach(() => server.stop());

async function link(from: Release, to: Release): Promise<OfferedDelta> {
  const bytes = await makeDeltaOfObjects(from, to, [releases.keys.secretKey]);
  return { from: from.checksum, to: to.checksum, bytes };
}

async function run(world: World): Promise<{ received: number; resumedAt: number | undefined }> {
  const remote = new RemoteRepository(impatientSource(server.url).source);
  try {
    const options = { ...upgradeOptions(releases), remote };
    const { resumedAt } = await upgrade(machineOf(world), options);
    return { received: remote.received, resumedAt };
  } finally {
    await remote.close();
  }
}

describe('an upgrade over HTTP', () => {
  it('with a delta fetches that, and 8 kB at most for everything else', async () => {
    const files = repositoryFiles(releases.v2, [direct]);
    const sockets = new Set<Socket>();
    server = await LoopbackServer.start((request, response) => {
      sockets.add(request.socket);
      answer(files, request, response);
    });
    const world = afterCut(base, keepAll);
    const { received } = await run(world);
    expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
    // Each file once, and nothing else.
    const sizes = [...files.values()].map(({ length }) => length);
    expect(received).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(server.requests).toHaveLength(files.size);
    expect(server.connections).toBe(1);
    // With all headers, in both directions.
    const [socket] = sockets;
    const wire = (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0);
    console.info(`${wire} bytes on the wire, ${direct.bytes.length} of them the delta`);
    expect(wire).toBeGreaterThan(received);
    expect(wire - direct.bytes.length).toBeLessThan(8000);
  });

  it.each(['delta', 'chain'])(
    'by a %s, and a server that does everything wrong: it ends right',
    async (kind) => {
      const files = repositoryFiles(releases.v2, kind === 'delta' ? [direct] : chain);
      const first = Number(process.env.PINE_FUZZ_SEED ?? 1);
      const told = { failed: 0, ranges: 0, disturbed: 0 };
      for (let seed = first; seed < first + 10; seed++) {
        const random = randomSource(seed);
        server = await LoopbackServer.start((request, response) => {
          if (request.headers.range !== undefined) told.ranges++;
          // Every other answer is right, or no upgrade would ever end.
          if (random(2) === 0) return answer(files, request, response);
          told.disturbed++;
          return disturb(files, request, response, random);
        });
        const world = afterCut(base, keepAll);
        for (let attempt = 0; ; attempt++) {
          expect(attempt, `PINE_FUZZ_SEED=${seed}`).toBeLessThan(100);
          try {
            await run(world);
            break;
          } catch (error) {
            if (!(error instanceof PineError)) throw error;
            told.failed++;
            const choices = [{ order: [1, 2] }, { order: [1] }];
            const found = await judge(world, {
              before: base,
              running: 1,
              choices,
              etc: deploymentA,
            });
            expect(found, `PINE_FUZZ_SEED=${seed}`).toEqual([]);
          }
        }
        expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
        await server.stop();
      }
      console.info(`PINE_FUZZ_SEED=${first}: ${JSON.stringify(told)}`);
      expect(told.failed).toBeGreaterThan(0);
      expect(told.ranges).toBeGreaterThan(0);
    },
    120_000,
  );
});

function answer(
  files: ReadonlyMap<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const file = files.get((request.url ?? '').replace('/repo/', ''));
  if (file === undefined) response.writeHead(404).end();
  else response.end(serve(request, response, file).body);
}

/** One of the wrong things that a server or the network does. */
function disturb(
  files: ReadonlyMap<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
  random: (below: number) => number,
): void {
  const file = files.get((request.url ?? '').replace('/repo/', ''));
  if (file === undefined) {
    answer(files, request, response);
    return;
  }
  switch (random(7)) {
    case 0: // The connection breaks anywhere, also before the first byte.
    case 1: {
      const { body } = serve(request, response, file);
      const part = body.subarray(0, random(body.length + 1));
      response.write(part, () => response.destroy());
      return;
    }
    case 2: {
      // Slowly, in small pieces.
      const { body } = serve(request, response, file);
      const step = 1 + Math.ceil(body.length / 8);
      const more = (at: number): void => {
        if (response.destroyed) return;
        if (at >= body.length) response.end();
        else response.write(body.subarray(at, at + step), () => setTimeout(more, 1, at + step));
      };
      more(0);
      return;
    }
    case 3: {
      // Another part than was asked for.
      const start = random(file.length);
      response.statusCode = 206;
      response.setHeader('etag', '"one"');
      response.setHeader('content-range', `bytes ${start}-${file.length - 1}/${file.length}`);
      response.end(file.subarray(start));
      return;
    }
    case 4: // All of it, whatever was asked for.
      response.setHeader('etag', '"one"').setHeader('content-length', file.length).end(file);
      return;
    case 5: {
      // An old file of this name: as long, and a few bytes different.
      const old = Buffer.from(file);
      for (let count = 0; count < 5; count++) old[random(old.length)] = random(256);
      response.end(serve(request, response, old, '"old"').body);
      return;
    }
    default:
      response.writeHead(503, { 'retry-after': '0' }).end();
  }
}
