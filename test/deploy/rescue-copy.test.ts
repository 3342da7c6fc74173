import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeRescueCopy } from '../../src/deploy/rescue-copy.ts';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';

let folder: string;
let stored: Buffer | undefined;
let writes: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-rescue-'));
  stored = undefined;
  writes = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content, { mode: 0o600 });
}

function copy(): Promise<readonly string[]> {
  return writeRescueCopy({
    files: nodeFileSystem,
    etc: join(folder, 'etc'),
    homes: { root: join(folder, 'root'), users: join(folder, 'home') },
    rescue: {
      readRescue: async () => stored,
      writeRescue: async (tar) => {
        stored = Buffer.from(tar);
        writes += 1;
      },
    },
  });
}

/** The names in the copy, as tar lists them. */
function names(): string[] {
  const input = stored ?? Buffer.alloc(0);
  return execFileSync('tar', ['-tf', '-'], { input }).toString().trim().split('\n');
}

describe('S11: the rescue copy', () => {
  test('holds what makes a machine reachable, and nothing that the image has', async () => {
    put('etc/network/interfaces', 'iface eth0 inet dhcp\n');
    put('etc/hostname', 'pine\n');
    put('etc/ssh/ssh_host_ed25519_key', 'secret');
    put('etc/ssh/moduli', Buffer.alloc(500_000));
    put('etc/motd', 'hello');
    put('root/.ssh/authorized_keys', 'ssh-ed25519 a');
    put('home/ann/.ssh/authorized_keys', 'ssh-ed25519 b');
    expect(await copy()).toEqual([]);
    expect(names()).toEqual([
      'root/.ssh/authorized_keys',
      'home/ann/.ssh/authorized_keys',
      'etc/network/interfaces',
      'etc/hostname',
      'etc/ssh/ssh_host_ed25519_key',
    ]);
  });

  test('is written only when something has changed', async () => {
    put('etc/hostname', 'pine\n');
    await copy();
    await copy();
    expect(writes).toBe(1);
    put('etc/hostname', 'fir\n');
    await copy();
    expect(writes).toBe(2);
  });

  test('leaves out what it has no room for, and names it', async () => {
    put('etc/hostname', 'pine\n');
    put('etc/network/large', Buffer.alloc(65 * 1024));
    expect(await copy()).toEqual([join(folder, 'etc/network/large')]);
    expect(names()).toEqual(['etc/hostname']);
  });
});
