import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { createBundle } from '../../src/bundle/create-bundle.ts';
import { generateDelta } from '../../src/delta/generate.ts';
import { removeDelta } from '../../src/delta/store.ts';
import { openStoredPlan } from '../../src/deploy/upgrade/plan-store.ts';
import { deriveUuid } from '../../src/disk/derive-uuid.ts';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { leastDiskSize, type PlacedPartition, placeLayout } from '../../src/disk/place-layout.ts';
import { encodeTrailer, trailerSize } from '../../src/image/trailer.ts';
import { installDisk } from '../../src/install/install-disk.ts';
import { executePlan } from '../../src/plan/execute.ts';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { decodeCommit } from '../../src/repo/commit-object.ts';
import { promisedImage, promisedPlan } from '../../src/repo/pine-metadata.ts';
import { Repository } from '../../src/repo/repository.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { encodeKey } from '../../src/trust/keys.ts';
import { slotProblem } from '../crash/world/judge.ts';
import { readMetrics } from '../support/prometheus-text.ts';
import { missing } from '../support/requirements.ts';
import { smallLayout } from '../support/small-layout.ts';

const ref = 'alpine/x86_64/web';
let folder: string;
let repository: Repository;
let partitions: readonly PlacedPartition[];
let server: Server;
let stopAfter = Number.POSITIVE_INFINITY;
let key: Awaited<ReturnType<typeof keyPair>>;
let v1: string;
let v2: string;

const disk = () => join(folder, 'disk.img');
const part = (name: string) => {
  const found = partitions.find((partition) => partition.role === name);
  if (found === undefined) throw new Error(name);
  return found;
};

/** The command line as a user has it; never rejects. */
function pinectl(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const here = ['--disk', disk(), '--state', join(folder, 'state')];
  const on = args.includes('--disk') ? [] : here;
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args, ...on], (error, out, err) => {
      resolve({ code: Number(error?.code ?? 0), out, err });
    });
  });
}

async function commit(name: string, timestamp: number, key: Awaited<ReturnType<typeof keyPair>>) {
  const { tree } = await scanFolder(join(folder, name));
  const result = await commitTree(repository, tree, {
    ref,
    timestamp,
    image: true,
    // What --bootable adds for a real root; this one has no kernel.
    metadata: [
      ['version', { type: 's', value: name }],
      ['pine.boot-compat', { type: 'u', value: 1 }],
    ],
    signKeys: [key.secretKey],
  });
  return result.commit;
}

const keyPair = () => generateKeyPair('release');

/** Fills slot a as the installer would. */
async function fillSlotA(checksum: string): Promise<void> {
  const remote = new RemoteRepository(new FolderSource(repository.path));
  const { commit: bytes, detachedMetadata = new Uint8Array() } = await remote.fetchCommit(checksum);
  const object = decodeCommit(bytes, checksum);
  const [image, promised] = [promisedImage(object), promisedPlan(object)];
  if (image === undefined || promised === undefined) throw new Error('no image');
  const path = repository.objectFile(checksum, 'plan');
  const plan = await openStoredPlan(nodeFileSystem, path, promised);
  if (plan === undefined) throw new Error('no plan');
  const { start, size } = part('root-a');
  const slot = await nodeBlockDevice(disk(), { start, size }).open('write');
  await executePlan({
    segments: plan.segments(),
    objects: remote.objects,
    size: image.size,
    room: size,
    target: slot,
  });
  const trailer = encodeTrailer({ imageSize: image.size, commit: bytes, detachedMetadata });
  await slot.write(size - trailerSize, trailer);
  await slot.flush();
  await slot.close();
}

describe.skipIf(missing('disk', 'grub') !== undefined)('a disk image as a machine', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pine-deploy-'));
    for (const name of ['v1', 'v2']) {
      mkdirSync(join(folder, name, 'etc'), { recursive: true });
      writeFileSync(join(folder, name, 'etc/hostname'), 'web\n');
      writeFileSync(join(folder, name, 'etc/sysctl.conf'), `first\n\n\n${name}\n`);
      writeFileSync(join(folder, name, 'etc/motd'), `welcome to ${name}\n`);
      writeFileSync(join(folder, name, 'large'), Buffer.alloc(900_000, 'the same '));
      writeFileSync(join(folder, name, 'release'), name.repeat(30_000));
    }
    key = await keyPair();
    repository = await Repository.init(join(folder, 'repo'));
    v1 = await commit('v1', 1_700_000_000, key);

    const layout = smallLayout({ data: '64MiB' });
    const size = leastDiskSize(layout);
    partitions = placeLayout(layout, size);
    writeFileSync(disk(), '');
    truncateSync(disk(), size);
    await installDisk({
      path: disk(),
      partitions,
      diskUuid: deriveUuid('deploy', 'disk'),
      deployment: { id: 'first', slot: 'a', kernelArguments: 'console=ttyS0', commit: v1 },
      time: 1_700_000_000,
    });
    await fillSlotA(v1);
    v2 = await commit('v2', 1_700_000_100, key);

    server = createServer((request, response) => {
      const path = join(repository.path, decodeURIComponent(request.url ?? ''));
      if (!existsSync(path) || !statSync(path).isFile()) return response.writeHead(404).end();
      if (path.endsWith('.filez') && stopAfter-- <= 0) return response.destroy();
      response.writeHead(200, { 'content-length': statSync(path).size });
      return createReadStream(path).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const etc = join(folder, 'state/etc/first');
    mkdirSync(join(etc, 'pine/keys'), { recursive: true });
    mkdirSync(join(etc, 'pine/health.d'));
    writeFileSync(join(etc, 'hostname'), 'changed by the administrator\n');
    writeFileSync(join(etc, 'sysctl.conf'), 'mine\n\n\nv1\n');
    writeFileSync(join(etc, 'motd'), 'go away\n');
    writeFileSync(join(etc, 'pine/keys/release.pub'), `${encodeKey(key.publicKey)}\n`);
    const { port } = server.address() as AddressInfo;
    const toml = `remote = "http://127.0.0.1:${port}"\nref = "${ref}"\n[trial]\ndeadline = 60\n`;
    writeFileSync(join(etc, 'pine/pinectl.toml'), toml);
  });
  afterAll(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function slotBytes(name: 'root-a' | 'root-b'): Promise<Buffer> {
    const { start, size } = part(name);
    const device = await nodeBlockDevice(disk(), { start, size }).open('read');
    const bytes = await device.read(0, size);
    await device.close();
    return bytes;
  }

  it('shows what is in its slots', async () => {
    const { code, out } = await pinectl('status');
    expect(code).toBe(0);
    expect(out).toContain('deployment first runs from slot a');
    expect(out).toContain('slot a, running: first (confirmed)');
    expect(out).toContain(v1);
    expect(out).toContain('signed    by release.pub');
    expect(out).toContain('slot b: boots nothing');
  });

  it('says what an upgrade would take, without a plan of the running slot being there', async () => {
    const { code, out } = await pinectl('upgrade', '--plan', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      kind: 'new',
      to: { commit: v2, version: 'v2' },
      slot: 'b',
      plan: { objects: 3, bytes: { object: 60_025 } },
    });
    expect(existsSync(join(folder, 'state/pine'))).toBe(false);
    expect((await pinectl('upgrade', '--check')).out).toMatch(/^new: v2 /);
  });

  it('writes metrics for Prometheus, to a file at once', async () => {
    const path = join(folder, 'pine.prom');
    expect(await pinectl('status', '--prometheus', '--output', path)).toMatchObject({
      ...{ code: 0, out: '', err: '' },
    });
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('pine_booted_info{deployment="first",slot="a"');
    expect(readMetrics(text).length).toBeGreaterThan(20);
    expect((await pinectl('status', '--prometheus')).out).toBe(text);
    const nowhere = join(folder, 'nowhere/pine.prom');
    const failed = await pinectl('status', '--prometheus', '--output', nowhere);
    expect(failed).toMatchObject({ code: 11, err: expect.stringMatching(/^IO_ENOENT/) });
    expect((await pinectl('status', '--output', path)).code).toBe(2);
    expect((await pinectl('status', '--prometheus', '--json')).code).toBe(2);
  });

  it('pins what runs, and lets it go', async () => {
    expect((await pinectl('pin')).out).toBe('first is pinned\n');
    const status = await pinectl('status');
    expect(status.out).toContain('slot a, running: first (confirmed, pinned)');
    expect(status.out).toMatch(/^pinned: first, in slot a, since 2/m);
    expect(await pinectl('pin', '3')).toMatchObject({ code: 9, out: '' });
    const unpinned = JSON.parse((await pinectl('unpin', '--json')).out);
    expect(unpinned).toEqual({ deployments: ['first'], changed: true, pins: [] });
    expect((await pinectl('unpin', '--all')).out).toBe('nothing is pinned\n');
  });

  it('upgrades from a bundle as from a remote, on a copy', async () => {
    await generateDelta(repository, { from: v1, to: v2 }, { keys: [key.secretKey] });
    const bundle = join(folder, 'web.bundle');
    await createBundle(repository, { ref, commit: v2, from: [v1] }, bundle);
    await removeDelta(repository, { from: v1, to: v2 });
    const [copy, state] = [join(folder, 'copy.img'), join(folder, 'copy')];
    cpSync(join(folder, 'state'), state, { recursive: true });
    execFileSync('cp', ['--sparse=always', disk(), copy]);
    const on = ['--disk', copy, '--state', state];
    const planned = await pinectl('upgrade', '--bundle', bundle, '--plan', '--json', ...on);
    const { ways } = JSON.parse(planned.out);
    expect(ways[0]).toMatchObject({ kind: 'delta', figure: 'exact' });
    expect(ways.slice(1).every((way: { refusal?: string }) => way.refusal)).toBe(true);

    const damaged = join(folder, 'damaged.bundle');
    const bytes = readFileSync(bundle);
    bytes[bytes.length - 1600] = (bytes.at(-1600) ?? 0) ^ 1;
    writeFileSync(damaged, bytes);
    const refused = await pinectl('bundle', 'apply', damaged, '--no-reboot', ...on);
    expect(refused).toMatchObject({ code: 9, err: expect.stringMatching(/NOT_FOUND_WAY/) });
    expect(refused.err).toMatch(/found: +the delta is no use: /);
    writeFileSync(damaged, readFileSync(bundle).subarray(0, 5000));
    const cut = await pinectl('bundle', 'apply', damaged, ...on);
    expect(cut).toMatchObject({ code: 4, err: expect.stringMatching(/^CORRUPT_BUNDLE/) });
    const key1 = await pinectl('bundle', 'apply', bundle, '--key', 'x.pub', ...on);
    expect(key1.code).toBe(2);

    const { code, out, err } = await pinectl(
      'bundle',
      'apply',
      bundle,
      '--no-reboot',
      '--json',
      ...on,
    );
    expect(err).toMatch(/^note: .*motd is in conflict.*\n$/);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ kind: 'staged', commit: v2, fetched: { objects: 0 } });
    const { start, size } = part('root-b');
    const device = await nodeBlockDevice(copy, { start, size }).open('read');
    expect(slotProblem(await device.read(0, size), v2)).toBeUndefined();
    await device.close();
    const status = await pinectl('status', ...on);
    expect(status.out).toMatch(
      /^ {2}came {6}\S+ from bundle \/\S+ \(alpine\/x86_64\/web\) by a delta, /m,
    );
  });

  it('is left as it was when the remote stops half-way, and upgrades when it is back', async () => {
    const running = await slotBytes('root-a');
    stopAfter = 0;
    const failed = await pinectl('upgrade');
    expect(failed.code).toBe(8);
    expect(failed.err).toMatch(/^REMOTE_/m);
    stopAfter = Number.POSITIVE_INFINITY;
    const { code, out, err } = await pinectl('upgrade', '--json');
    expect(err).toBe('note: /etc/motd is in conflict: both sides changed it: here line 1\n');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      kind: 'armed',
      commit: v2,
      slot: 'b',
      // The plan of the running slot was made by hashing it: only what is new is fetched.
      fetched: { objects: 3 },
    });
    // Config, ref, commit, signature and three objects of 60,025 bytes that deflate well.
    const { bytes } = JSON.parse(out).fetched;
    expect(bytes).toBeGreaterThan(500);
    expect(bytes).toBeLessThan(5000);
    expect((await slotBytes('root-a')).equals(running)).toBe(true);
    expect(slotProblem(await slotBytes('root-b'), v2)).toBeUndefined();
    const status = JSON.parse((await pinectl('status', '--json')).out);
    expect(status).toMatchObject({ trial: { state: 'armed', tries: 2 }, writing: null });
    const id = status.trial.deployment;
    expect(status.slots[0].contents.origin).toBeNull();
    expect(status.slots[1].contents.origin).toMatchObject({
      ...{ kind: 'remote', ref, way: 'files', signedBy: 'release.pub', fetched: bytes },
      place: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/),
    });
    const text = new RegExp(
      `armed +${id}, slot b, v2: from http://127.* by files, .* fetched$`,
      'm',
    );
    expect((await pinectl('history')).out).toMatch(text);
    const etc = (name: string) => readFileSync(join(folder, `state/etc/${id}/${name}`), 'utf8');
    expect(etc('hostname')).toBe('changed by the administrator\n');
    expect(etc('sysctl.conf')).toBe('mine\n\n\nv2\n');
    expect(etc('motd')).toBe('go away\n');
    expect(etc('motd.pine-new')).toBe('welcome to v2\n');
  });

  it('confirms the trial, refuses an upgrade before that, rolls back, and holds what it left', async () => {
    expect((await pinectl('upgrade', '--running', '2')).err).toMatch(/^STATE_ON_TRIAL/);
    const { deployment } = JSON.parse((await pinectl('status', '--json')).out).trial;
    const wanted = join(folder, `state/etc/${deployment}/pine/health.d/wanted.d`);
    mkdirSync(wanted);
    writeFileSync(join(wanted, '60-mail'), '#!/bin/sh\necho no relay; exit 1\n', { mode: 0o755 });
    const mail = 'health 60-mail failed, which is only wanted: exit 1: no relay';
    const health = await pinectl('health', '--running', '2');
    expect(health).toMatchObject({
      code: 0,
      out: 'FAILED  wanted    60-mail: exit 1: no relay\n',
    });
    const confirmed = await pinectl('boot-complete', '--running', '2');
    expect(confirmed.out).toBe(`the trial is confirmed\n${mail}\n`);
    expect((await pinectl('status', '--running', '2')).out).toContain(mail);
    expect((await pinectl('history')).out).toContain(
      `confirmed    ${deployment}, slot b, v2: ${mail}`,
    );
    expect((await pinectl('boot-complete', '--running', '2')).out).toBe('nothing to do\n');
    const left = await pinectl('rollback', '--running', '2', '--no-reboot');
    expect(left.out).toMatch(/^the next boot is deployment first in slot a; commit .* is held/);
    const again = await pinectl('upgrade');
    expect(again).toMatchObject({ code: 6, err: expect.stringMatching(/^STATE_HELD/) });
    const retried = await pinectl('upgrade', '--retry', '--json');
    expect(JSON.parse(retried.out)).toMatchObject({ kind: 'armed', commit: v2 });
  });

  it('records why a trial fell back', async () => {
    const { out } = await pinectl('boot-complete', '--skipped', '2:hash');
    expect(out).toMatch(/^fell back: its kernel.*did not match their hashes; the commit is held/);
    const { out: history } = await pinectl('history');
    expect(
      history
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[1]),
    ).toEqual(['armed', 'confirmed', 'rolled-back', 'armed', 'fell-back']);
  });
});
