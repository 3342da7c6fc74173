import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deltaIndexPath, deltaPath } from '../../src/delta/delta-path.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { makeDeltaOfObjects, type OfferedDelta } from '../crash/world/delta.ts';
import { slotProblem } from '../crash/world/judge.ts';
import { keepAll } from '../crash/world/loss.ts';
import type { Release } from '../crash/world/release.ts';
import { makeReleases, type Releases, upgradeOptions } from '../crash/world/releases.ts';
import { repositoryFiles } from '../crash/world/repository-files.ts';
import { afterCut, machineOf, makeWorld, type World } from '../crash/world/world.ts';
import { impatientSource, LoopbackServer, serve } from '../remote/loopback-server.ts';
import { codeOfAsync } from '../support/code-of.ts';

let releases: Releases;
let base: World;
/** v0 runs. The server has no files: only deltas lead to v2. */
let direct: OfferedDelta;
let chain: readonly OfferedDelta[];
let server: LoopbackServer;
const started: LoopbackServer[] = [];
afterEach(async () => {
  for (const each of started.splice(0)) await each.stop();
});

beforeAll(async () => {
  releases = await makeReleases();
  const { v0, v1, v2 } = releases;
  base = await makeWorld({ a: v0, b: v1, order: [1, 2] });
  direct = await link(v0, v2);
  chain = [await link(v0, v1), await link(v1, v2)];
});

async function link(from: Release, to: Release): Promise<OfferedDelta> {
  const bytes = await makeDeltaOfObjects(from, to, [releases.keys.secretKey]);
  return { from: from.checksum, to: to.checksum, bytes };
}

type Answer = (request: IncomingMessage, response: ServerResponse, file: Buffer) => void;

/** A web server that gives everything but one file as it should. */
async function serveBut(path: string, answer: Answer): Promise<void> {
  const files = repositoryFiles(releases.v2, [direct, ...chain]);
  server = await LoopbackServer.start((request, response) => {
    const asked = (request.url ?? '').replace('/repo/', '');
    const file = files.get(asked);
    if (file === undefined) response.writeHead(404).end();
    else if (asked === path) answer(request, response, file);
    else response.end(serve(request, response, file).body);
  });
  started.push(server);
}

async function withRemote<T>(
  use: (options: ReturnType<typeof upgradeOptions> & { remote: RemoteRepository }) => Promise<T>,
): Promise<{ notes: string; result: T }> {
  const remote = new RemoteRepository(impatientSource(server.url).source);
  const notes: string[] = [];
  try {
    const note = (text: string) => notes.push(text);
    const result = await use({ ...upgradeOptions(releases), remote, note });
    return { notes: notes.join('\n'), result };
  } finally {
    await remote.close();
  }
}

async function upgradeNow(world = afterCut(base, keepAll)): Promise<string> {
  const { notes } = await withRemote((options) => upgrade(machineOf(world), options));
  expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
  return notes;
}

const planNow = () =>
  withRemote((options) =>
    previewUpgrade(machineOf(afterCut(base, keepAll)), { ...options, plan: true }),
  );

const status =
  (code: number): Answer =>
  (_, response) => {
    response.writeHead(code, { 'retry-after': '0' }).end();
  };
const answers: readonly [string, Answer, RegExp][] = [
  ['401', status(401), /expected permission to read, found 401 Unauthorized/],
  ['403', status(403), /expected permission to read, found 403 Forbidden/],
  ['410', status(410), /found 410 Gone/],
  ['418', status(418), /found 418/],
  ['500', status(500), /found 500 Internal Server Error/],
  [
    'redirects without end',
    (request, response) => response.writeHead(302, { location: request.url }).end(),
    /found more than 5 redirects/,
  ],
  [
    'an encoding',
    (_, response, file) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(file),
    /expected the bytes as they are, found gzip/,
  ],
  [
    'no length',
    (_, response, file) => {
      response.removeHeader('transfer-encoding');
      response.useChunkedEncodingByDefault = false;
      response.end(file);
    },
    /found a body that ends when the connection does/,
  ],
];

describe('a delta that the server answers with', () => {
  it.each(answers)('%s is left for the next way', async (_, answer, why) => {
    const path = deltaPath(direct);
    await serveBut(path, answer);
    const notes = await upgradeNow();
    expect(notes).toMatch(/^the delta is not used: /);
    expect(notes).toMatch(why);
    // Which delta it is about, in a line that can be read.
    const short = path.replace(/([0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
    expect(notes).toContain(`(${server.url}/${short})`);
    const { result } = await planNow();
    expect(result.ways?.[0]?.kind).toBe('chain');
    expect(result.ways?.find(({ kind }) => kind === 'delta')?.refusal).toMatch(why);
  });
});

describe('a list of deltas that the server answers with', () => {
  it.each(answers)('%s is no reason to end', async (_, answer, why) => {
    await serveBut(deltaIndexPath(releases.v2.checksum), answer);
    const isMissing = why.source.includes('410');
    // The one from what runs is there, and asked for.
    expect(await upgradeNow()).toMatch(isMissing ? /^$/ : why);
    const { result, notes } = await planNow();
    if (!isMissing) expect(notes).toMatch(why);
    expect(result.ways?.[0]?.kind).toBe('delta');
    const refusals = result.ways?.slice(1).map(({ refusal = '' }) => refusal) ?? [];
    expect(refusals.join('\n')).toMatch(
      isMissing
        ? /the remote has no list of deltas/
        : /the list of deltas can not be read: the remote/,
    );
  });

  it('S7: a connection that breaks off ends it, and nothing has changed', async () => {
    const path = deltaIndexPath(releases.v2.checksum);
    await serveBut(path, (_, response) => response.destroy());
    const world = afterCut(base, keepAll);
    await codeOfAsync(() => upgradeNow(world), 'REMOTE_BROKEN');
    expect(world.slots.b.written).toBe(false);
  });
});

it('a delta of a repository in a folder that can not be opened is left for the next way', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-refused-'));
  try {
    for (const [path, bytes] of repositoryFiles(releases.v2, [direct, ...chain])) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    // Root may read everything, but not follow a link to itself.
    const path = join(folder, deltaPath(direct));
    rmSync(path);
    symlinkSync(path, path);
    const world = afterCut(base, keepAll);
    const notes: string[] = [];
    const note = (text: string) => notes.push(text);
    const remote = new RemoteRepository(new FolderSource(folder));
    await upgrade(machineOf(world), { ...upgradeOptions(releases), remote, note });
    expect(slotProblem(world.slots.b.medium, releases.v2.checksum)).toBeUndefined();
    expect(notes.join()).toMatch(/^the delta is not used: ELOOP.*expected a file that may be read/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('a delta whose file was cut', () => {
  const cut: Answer = (request, response, file) => {
    const part = file.subarray(0, file.length - 1000);
    response.end(serve(request, response, part).body);
  };

  it('is no way in --plan, although its beginning is right', async () => {
    await serveBut(deltaPath(direct), cut);
    const { result } = await planNow();
    expect(result.ways?.[0]?.kind).toBe('chain');
    const { length } = direct.bytes;
    expect(result.ways?.find(({ kind }) => kind === 'delta')?.refusal).toContain(
      `a delta is damaged: expected ${length} bytes by its header, found ${length - 1000} bytes (`,
    );
  });

  it('is not fetched any further', async () => {
    await serveBut(deltaPath(direct), cut);
    const { result, notes } = await withRemote(async (options) => {
      await upgrade(machineOf(afterCut(base, keepAll)), options);
      return options.remote.received;
    });
    expect(notes).toMatch(/^the delta is not used: a delta is damaged/);
    const [first, second] = chain;
    const sizes = (first?.bytes.length ?? 0) + (second?.bytes.length ?? 0);
    expect(result).toBeLessThan(sizes + direct.bytes.length - 100_000);
  });
});
