import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../../src/etc/history/compare.ts';
import { presentItems, recordedItems } from '../../../src/etc/history/item.ts';
import { recordTree } from '../../../src/etc/history/record.ts';
import { folderTree } from '../../../src/etc/trees/folder-tree.ts';
import { nodeFileSystem as files } from '../../../src/ports/node-file-system.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { missing } from '../../support/requirements.ts';
import { git } from './support/git.ts';
import { History, later } from './support/history.ts';

const secret = 'correct horse battery staple';

/** Everything that git has no room for, or must not hold. */
function fillOddly(etc: string): void {
  mkdirSync(join(etc, 'ssh'));
  mkdirSync(join(etc, 'empty'));
  mkdirSync(join(etc, 'private'), { mode: 0o700 });
  mkdirSync(join(etc, 'private/deeper'));
  writeFileSync(join(etc, 'hostname'), 'web\n');
  writeFileSync(join(etc, 'script'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(etc, 'odd-mode'), 'x\n');
  chmodSync(join(etc, 'odd-mode'), 0o4711 | 0o004);
  writeFileSync(join(etc, 'private/deeper/readable.key'), secret);
  writeFileSync(join(etc, 'shadow'), secret, { mode: 0o640 });
  chownSync(join(etc, 'shadow'), 0, 42);
  writeFileSync(join(etc, 'ssh/ssh_host_ed25519_key'), secret, { mode: 0o600 });
  writeFileSync(join(etc, 'large'), Buffer.alloc(1024 * 1024 + 1, secret));
  writeFileSync(join(etc, '.gitmodules'), '[submodule "x"]\n\turl = -evil\n');
  writeFileSync(join(etc, 'back\\slash'), 'x');
  writeFileSync(join(etc, '.pine-metadata'), 'x');
  writeFileSync(Buffer.from(`${etc}/caf\xe9`, 'latin1'), 'x');
  mkdirSync(Buffer.from(`${etc}/\xff`, 'latin1'));
  writeFileSync(Buffer.from(`${etc}/\xff/inside`, 'latin1'), 'x');
  writeFileSync(join(etc, 'resolv.conf'), 'nameserver 192.0.2.1\n');
  symlinkSync('.', join(etc, 'loop'));
  symlinkSync('/nowhere', join(etc, 'dangling'));
}

describe.skipIf(missing('root', 'git', 'xattr') !== undefined)('what is recorded of /etc', () => {
  const folder = temporaryFolder();
  let history: History;
  beforeAll(async () => {
    history = await History.make(folder);
    fillOddly(history.etc);
    const server = createServer().listen(join(history.etc, 'socket'));
    await new Promise((resolve) => server.on('listening', resolve));
    await history.record('first');
    server.close();
  });

  it('is a repository that git finds nothing wrong with', () => {
    expect(git(history.repository.folder, 'fsck', '--full', '--strict')).toBe('');
    expect(git(history.repository.folder, 'log', '--format=%an|%at|%s|%(trailers)')).toContain(
      'pine|1700000000|first|Pine-Deployment: a',
    );
  });

  it('has each thing that git can hold, as it is', () => {
    const listing = git(history.repository.folder, 'ls-tree', '-r', '-t', 'machine');
    const names = listing
      .trim()
      .split('\n')
      .map((line) => line.replace(/ (blob|tree) [0-9a-f]{40}\t/, ' '));
    expect(names).toEqual([
      '100644 .pine-metadata',
      '120000 dangling',
      '040000 empty',
      '100644 hostname',
      '120000 loop',
      '100755 odd-mode',
      '040000 private',
      '040000 private/deeper',
      '100644 private/deeper/.pine-metadata',
      '100755 script',
      '040000 ssh',
      '100644 ssh/.pine-metadata',
    ]);
    expect(git(history.repository.folder, 'show', 'machine:hostname')).toBe('web\n');
  });

  it('has of the rest only that it is there, and nobody but root can look', () => {
    const sidecar = git(history.repository.folder, 'show', 'machine:.pine-metadata');
    const lines = sidecar
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(Object.fromEntries(lines.map(({ name, withheld }) => [name, withheld]))).toEqual({
      '.gitmodules': 'name',
      '.pine-metadata': 'name',
      'back\\slash': 'name',
      'caf\udce9': 'name',
      '\udcff': 'name',
      large: 'large',
      'odd-mode': undefined,
      private: undefined,
      shadow: 'secret',
      socket: 'special',
    });
    expect(lines.find(({ name }) => name === 'shadow')).toMatchObject({
      ...{ mode: '0640', uid: 0, gid: 42, size: secret.length },
    });
    const all = git(history.repository.folder, 'cat-file', '--batch-all-objects', '--batch');
    expect(all).not.toContain('horse');
    const open = execFileSync('find', [history.repository.folder, '-perm', '/077']).toString();
    expect(open).toBe('');
  });

  it('reads back as it was', async () => {
    const tip = await history.repository.revision((await history.repository.tip('machine')) ?? '');
    const recorded = recordedItems('recorded', history.repository, tip.tree);
    const present = presentItems('present', await folderTree(files, history.etc), true);
    const differences: string[] = [];
    for await (const { path } of compare(recorded, present)) differences.push(path);
    expect(differences).toEqual(['socket']); // it went with its server
  });
});

describe.skipIf(missing('git') !== undefined)('what changes a secret', () => {
  it('is a new revision, of which only the size and time are known', async () => {
    const history = await History.make(temporaryFolder());
    const path = join(history.etc, 'shadow');
    writeFileSync(path, 'root:old\n', { mode: 0o600 });
    await history.record('first');
    writeFileSync(path, 'root:newer\n');
    expect((await history.record('second')).revision).toBeDefined();
    const { folder } = history.repository;
    expect(git(folder, 'diff', 'machine~1', 'machine')).toContain('"size":11');
    expect(git(folder, 'cat-file', '--batch-all-objects', '--batch')).not.toContain('newer');
  });

  it('and what becomes one is not recorded from then on', async () => {
    const history = await History.make(temporaryFolder());
    writeFileSync(join(history.etc, 'psk'), 'for all to see\n');
    await history.record('first');
    chmodSync(join(history.etc, 'psk'), 0o600);
    await history.record('second');
    expect(git(history.repository.folder, 'ls-tree', 'machine', 'psk')).toBe('');
    expect(git(history.repository.folder, 'show', 'machine:.pine-metadata')).toContain('secret');
  });
});

describe.skipIf(missing('git') !== undefined)('stat data', () => {
  it('spare reading what shows no change, and a change in place is seen', async () => {
    const history = await History.make(temporaryFolder());
    for (const name of ['one', 'two']) writeFileSync(join(history.etc, name), `${name}\n`);
    const { paths } = await history.record('first');
    const reads: string[] = [];
    const tree = await folderTree(files, history.etc);
    const counted = {
      ...tree,
      read: (file: Parameters<typeof tree.read>[0]) => {
        reads.push(file.path);
        return tree.read(file);
      },
    };
    writeFileSync(join(history.etc, 'two'), 'TWO\n'); // as many bytes as before
    const recording = { branch: 'machine', subject: 's', origin: {}, time: 1 } as const;
    const options = { began: later, known: paths };
    expect(
      (await recordTree(history.repository, counted, recording, options)).revision,
    ).toBeDefined();
    expect(reads).toEqual(['two']);
    await history.repository.publish();
    expect(git(history.repository.folder, 'show', 'machine:two')).toBe('TWO\n');
  });

  it('of what changed a moment ago are not relied on', async () => {
    const history = await History.make(temporaryFolder());
    writeFileSync(join(history.etc, 'now'), 'x');
    const { paths } = await history.record('first', { began: Math.floor(Date.now() / 1000) });
    expect(paths.get('"now"')?.stamp).toBe('');
  });
});
