import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { openSource } from '../../src/remote/open-source.ts';
import { parseRemoteUrl, printableUrl } from '../../src/remote/remote-url.ts';
import { codeOf, codeOfAsync } from '../support/code-of.ts';
import { collect } from './loopback-server.ts';

const file = randomBytes(200_000);
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-folder-'));
  mkdirSync(join(folder, 'objects'));
  writeFileSync(join(folder, 'objects/a'), file);
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (path: string, limit = 1e6, from = 0) =>
  collect(new FolderSource(folder).open(path, { limit, from }));

describe('reading from a folder', () => {
  it('reads a file, from anywhere on, up to exactly the limit', async () => {
    expect((await read('objects/a', file.length)).equals(file)).toBe(true);
    for (const from of [1, 65_536, file.length]) {
      expect((await read('objects/a', file.length, from)).equals(file.subarray(from))).toBe(true);
    }
    await codeOfAsync(() => read('objects/a', file.length - 1), 'CORRUPT_TOO_LARGE');
    await codeOfAsync(() => read('objects/a', 1e6, file.length + 1), 'REMOTE_CHANGED');
  });

  it('knows what is missing from what is no file', async () => {
    for (const path of ['objects/b', 'nothing/b', 'objects/a/b', 'objects']) {
      await codeOfAsync(() => read(path), 'NOT_FOUND_REMOTE_FILE');
    }
  });

  it('does not wait for a fifo that nobody writes to', async () => {
    spawnSync('mkfifo', [join(folder, 'fifo')]);
    await codeOfAsync(() => read('fifo'), 'NOT_FOUND_REMOTE_FILE');
  });

  it('passes on what the system says in a PineError', async () => {
    symlinkSync('loop', join(folder, 'loop'));
    const error = await codeOfAsync(() => read('loop'), 'IO_ELOOP');
    expect(error.exitStatus).toBe(11);
  });

  it('S5: a file that grows while it is read ends at the limit; one that shrinks is an error', async () => {
    const growing = async () => {
      for await (const _ of new FolderSource(folder).open('objects/a', { limit: file.length })) {
        appendFileSync(join(folder, 'objects/a'), 'more');
      }
    };
    await codeOfAsync(growing, 'CORRUPT_TOO_LARGE');
    const shrinking = async () => {
      for await (const _ of new FolderSource(folder).open('objects/a', { limit: 1e6 })) {
        truncateSync(join(folder, 'objects/a'), 70_000);
      }
    };
    await codeOfAsync(shrinking, 'REMOTE_CHANGED');
  });

  it.each(['../secret', 'objects/../../secret', '/etc/passwd', 'a//b', '', '.', 'a\0b', 'a\\b'])(
    'S5: does not leave the folder for %j',
    async (path) => {
      await codeOfAsync(() => read(path), 'INPUT_REMOTE_PATH');
    },
  );
});

describe('where a remote is', () => {
  it('takes a path, a file URL, and http(s) URLs', async () => {
    for (const remote of [folder, pathToFileURL(folder).href]) {
      const source = await openSource(remote);
      expect(source.name).toBe(folder);
      expect(await collect(source.open('objects/a', { limit: 1e6 }))).toHaveLength(file.length);
    }
    expect((await openSource('https://example.org/repo')).name).toBe('https://example.org/repo/');
    expect((await openSource('some/folder')).name).toBe(join(process.cwd(), 'some/folder'));
  });

  it.each(['', 'ftp://example.org/repo', 'file://host/repo', 'ssh://me:s3cret@host/repo'])(
    'refuses %j',
    async (remote) => {
      const error = await codeOfAsync(() => openSource(remote), 'INPUT_REMOTE_URL');
      expect(JSON.stringify(error)).not.toContain('s3cret');
    },
  );

  it.each([
    'http://',
    'http://me:s3cret@',
    'https://me:s3cret@exa mple.org/',
    'https://me:s3cret@example.org/repo?token=s3cret',
    'https://me:s3cret@example.org/repo#s3cret',
    'https://me:s3%ZZcret@example.org/repo',
  ])('refuses %j, and prints no password', (url) => {
    const error = codeOf(() => parseRemoteUrl(url), 'INPUT_REMOTE_URL');
    expect(JSON.stringify(error)).not.toContain('cret');
  });

  it('keeps user and password apart from what is printed', () => {
    const remote = parseRemoteUrl('https://m%40e:s3%3Acret@example.org:8443/repo');
    expect(remote.authorization).toBe(`Basic ${Buffer.from('m@e:s3:cret').toString('base64')}`);
    expect(remote.base.href).toBe('https://example.org:8443/repo/');
    expect(printableUrl(new URL('https://a:b@example.org/x?token=1'))).toBe(
      'https://example.org/x',
    );
  });
});
