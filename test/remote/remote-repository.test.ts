import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { decodeFileHeader, headerLength } from '../../src/repo/file-header.ts';
import { objectPath } from '../../src/repo/object-name.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { freePort } from '../support/free-port.ts';
import { missing } from '../support/requirements.ts';
import { collect, impatientSource } from './loopback-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-remote-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const ostree = (...args: string[]) => {
  const run = spawnSync('ostree', [`--repo=${folder}/repo`, ...args], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout.trim();
};

/** A repository as the stock client makes it. */
function makeRepository(): string {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  writeFileSync(join(tree, 'bin/tool'), randomBytes(3_000_000));
  chmodSync(join(tree, 'bin/tool'), 0o4755);
  writeFileSync(join(tree, 'bin/zeros'), Buffer.alloc(1_000_000));
  for (let n = 0; n < 50; n += 1) writeFileSync(join(tree, `file-${n}`), `${n}\n`.repeat(n * n));
  symlinkSync('bin/tool', join(tree, 'link'));
  ostree('init', '--mode=archive');
  const commit = ostree('commit', '--branch=alpine/x86_64/web', '--subject=one', tree);
  writeFileSync(join(folder, 'repo', objectPath(commit, 'plan')), planBytes);
  return commit;
}

const planBytes = randomBytes(700_000);
const plan = { size: planBytes.length, sha256: sha256(planBytes) };

/** Checksum and length of every regular file's object. */
function fileObjects(): { checksum: string; length: number; link: boolean }[] {
  const objects = join(folder, 'repo/objects');
  return readdirSync(objects, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.filez'))
    .map((name) => {
      const bytes = readFileSync(join(objects, name));
      const header = decodeFileHeader(bytes.subarray(8, 8 + headerLength(bytes, name)), name);
      const checksum = name.replace('/', '').replace('.filez', '');
      return { checksum, length: header.size, link: header.target !== '' };
    });
}

describe.skipIf(missing('ostree') !== undefined)('a remote that the stock client wrote', () => {
  let commit = '';
  const repository = new RemoteRepository(new FolderSource(join(folder, 'repo')));
  beforeAll(() => {
    commit = makeRepository();
  });

  it('is an archive, names its commit, and gives it without signatures', async () => {
    await repository.checkMode();
    expect(await repository.resolveRef('alpine/x86_64/web')).toBe(commit);
    const fetched = await repository.fetchCommit(commit);
    expect(sha256(fetched.commit)).toBe(commit);
    expect(fetched.detachedMetadata).toBeUndefined();
  });

  it('gives every file as ostree itself does, and no link', async () => {
    let files = 0;
    for (const { checksum, length, link } of fileObjects()) {
      const read = () => collect(repository.objects.open(checksum, length));
      if (link) await codeOfAsync(read, 'CORRUPT_OBJECT');
      else expect(await read()).toHaveLength(length);
      files += link ? 0 : 1;
    }
    expect(files).toBe(52);
  });

  it('S5: gives a plan, which ends in an error when it is not the one that was promised', async () => {
    expect((await collect(repository.fetchPlan(commit, plan))).equals(planBytes)).toBe(true);
    for (const [digest, code] of [
      [{ ...plan, sha256: '00'.repeat(32) }, 'CORRUPT_PLAN'],
      [{ ...plan, size: plan.size + 1 }, 'CORRUPT_PLAN'],
      [{ ...plan, size: plan.size - 1 }, 'CORRUPT_TOO_LARGE'],
    ] as const) {
      await codeOfAsync(() => collect(repository.fetchPlan(commit, digest)), code);
    }
  });

  it('says what is missing: a repository, a ref, a commit, an object', async () => {
    const nowhere = new RemoteRepository(new FolderSource(join(folder, 'nowhere')));
    await codeOfAsync(() => nowhere.checkMode(), 'NOT_FOUND_REMOTE_REPOSITORY');
    await codeOfAsync(() => repository.resolveRef('alpine/none'), 'NOT_FOUND_REMOTE_REF');
    await codeOfAsync(() => repository.resolveRef('../../etc/passwd'), 'INPUT_REF_NAME');
    const none = '00'.repeat(32);
    await codeOfAsync(() => repository.fetchCommit(none), 'NOT_FOUND_REMOTE_OBJECT');
    await codeOfAsync(() => collect(repository.objects.open(none, 1)), 'NOT_FOUND_REMOTE_FILE');
    await codeOfAsync(() => collect(repository.fetchPlan(none, plan)), 'NOT_FOUND_REMOTE_FILE');
  });

  it.each([
    ['mode=bare', '[core]\nrepo_version=1\nmode=bare\n', 'INPUT_REPOSITORY_MODE'],
    ['no version', '[core]\nmode=archive\n', 'INPUT_REPOSITORY_VERSION'],
    ['a web page', '<html>mode=archive-z2</html>', 'INPUT_REPOSITORY_VERSION'],
  ] as const)('refuses a configuration with %s', async (_, text, code) => {
    const other = mkdtempSync(join(folder, 'other-'));
    writeFileSync(join(other, 'config'), text);
    const repository = new RemoteRepository(new FolderSource(other));
    await codeOfAsync(() => repository.checkMode(), code);
  });

  it.each([
    ['an empty ref', '', 'CORRUPT_REF'],
    ['a short one', 'abc\n', 'CORRUPT_REF'],
    ['upper case', `${'A'.repeat(64)}\n`, 'CORRUPT_REF'],
    ['a path', `${'../'.repeat(21)}x\n`, 'CORRUPT_REF'],
    ['a web page', '<html>'.repeat(100), 'CORRUPT_TOO_LARGE'],
  ] as const)('refuses %s', async (_, text, code) => {
    const other = mkdtempSync(join(folder, 'other-'));
    mkdirSync(join(other, 'refs/heads'), { recursive: true });
    writeFileSync(join(other, 'refs/heads/x'), text);
    const repository = new RemoteRepository(new FolderSource(other));
    await codeOfAsync(() => repository.resolveRef('x'), code);
  });

  it('S5: refuses a commit that is larger than any slot can hold', async () => {
    const name = 'ab'.repeat(32);
    const other = mkdtempSync(join(folder, 'other-'));
    mkdirSync(join(other, 'objects/ab'), { recursive: true });
    writeFileSync(join(other, objectPath(name, 'commit')), Buffer.alloc(65_536));
    const repository = new RemoteRepository(new FolderSource(other));
    await codeOfAsync(() => repository.fetchCommit(name), 'CORRUPT_TOO_LARGE');
  });

  describe.skipIf(missing('nginx') !== undefined)('behind nginx', () => {
    let stop = () => {};
    let port = 0;
    beforeAll(async () => {
      port = await freePort();
      const server = spawn('nginx', ['-p', folder, '-c', writeConfiguration(port)], {
        env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
        stdio: 'inherit',
      });
      stop = () => server.kill();
      await waitForPort(port);
    });
    afterAll(() => stop());

    it('gives the same, over one connection, gzip or not', async () => {
      const { source, pauses } = impatientSource(`http://127.0.0.1:${port}/repo`);
      const remote = new RemoteRepository(source);
      await remote.checkMode();
      expect(await remote.resolveRef('alpine/x86_64/web')).toBe(commit);
      const fetched = await remote.fetchCommit(commit);
      expect(sha256(fetched.commit)).toBe(commit);
      expect(fetched.detachedMetadata).toBeUndefined();
      for (const { checksum, length, link } of fileObjects()) {
        if (!link)
          expect(await collect(remote.objects.open(checksum, length))).toHaveLength(length);
      }
      expect((await collect(remote.fetchPlan(commit, plan))).equals(planBytes)).toBe(true);
      expect(pauses).toEqual([]);
      await remote.close();
    });

    it('goes on where a line that breaks every 400 kB left off', async () => {
      const line = await breakingLine(port, 400_000);
      const { source, pauses } = impatientSource(`http://127.0.0.1:${line.port}/repo`, {
        pauses: Array.from({ length: 20 }, () => 1),
      });
      const remote = new RemoteRepository(source);
      expect((await collect(remote.fetchPlan(commit, plan))).equals(planBytes)).toBe(true);
      const large = fileObjects().find(({ length }) => length === 3_000_000);
      expect(large).toBeDefined();
      const content = await collect(remote.objects.open(large?.checksum ?? '', 3_000_000));
      expect(content.equals(readFileSync(join(folder, 'tree/bin/tool')))).toBe(true);
      expect(pauses.length).toBeGreaterThan(5);
      await remote.close();
      line.close();
    });
  });
});

function writeConfiguration(port: number): string {
  const path = join(folder, 'nginx.conf');
  writeFileSync(
    path,
    `daemon off; master_process off; error_log stderr crit; pid nginx.pid;
    events {}
    http {
      access_log off; default_type application/octet-stream; gzip on; gzip_types *;
      client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4;
      scgi_temp_path t5;
      server { listen 127.0.0.1:${port}; root ${folder}; keepalive_requests 1000; }
    }`,
  );
  return path;
}

async function waitForPort(port: number): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const error = await once(socket, 'connect').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    socket.destroy();
    if (error === undefined) return;
    if (attempt === 100) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A TCP line to `port` that breaks each connection after so many bytes came back. */
async function breakingLine(port: number, bytes: number) {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let passed = 0;
    near.on('data', (data) => far.write(data));
    far.on('data', (data) => {
      const piece = data.subarray(0, bytes - passed);
      passed += piece.length;
      near.write(piece);
      if (passed >= bytes) near.destroy();
    });
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
