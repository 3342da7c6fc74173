import { spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock, waitForLock } from '../../src/deploy/lock.ts';
import { nodeFileSystem as files } from '../../src/ports/node-file-system.ts';
import { codeOfAsync } from '../support/code-of.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-ports-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the file system', () => {
  it('tells what is missing from what is there', async () => {
    expect(await files.status(`${folder}/x/y`)).toBeUndefined();
    expect(await files.readFile(`${folder}/x`, 10)).toBeUndefined();
    expect(await files.readFolder(`${folder}/x`)).toBeUndefined();
    await files.remove(`${folder}/x`);
    await files.writeFile(`${folder}/é`, Buffer.from('12345'), 0o600);
    await files.writeFile(`${folder}/z`, Buffer.alloc(0), 0o644);
    expect(await files.readFolder(folder)).toEqual(['z', 'é']);
    expect(await files.status(`${folder}/é`)).toMatchObject({ kind: 'file', size: 5 });
  });

  it('bounds what it reads, before it reads it', async () => {
    await files.writeFile(`${folder}/f`, Buffer.from('12345'), 0o600);
    expect(`${await files.readFile(`${folder}/f`, 5)}`).toBe('12345');
    await codeOfAsync(() => files.readFile(`${folder}/f`, 4), 'CORRUPT_TOO_LARGE');
    expect(`${await files.readAt(`${folder}/f`, 3, 100)}`).toBe('45');
    expect((await files.readAt(`${folder}/f`, 9, 100)).length).toBe(0);
    // Its status says 0 bytes.
    expect((await files.readFile('/proc/self/status', 100_000))?.length).toBeGreaterThan(100);
  });

  it('gives the mode that was asked for, whatever the umask, and follows no link', async () => {
    const umask = process.umask(0o077);
    try {
      await files.writeFile(`${folder}/open`, Buffer.from('x'), 0o644);
    } finally {
      process.umask(umask);
    }
    expect(lstatSync(`${folder}/open`).mode & 0o777).toBe(0o644);
    symlinkSync(`${folder}/victim`, `${folder}/link`);
    await expect(files.writeFile(`${folder}/link`, Buffer.from('x'), 0o644)).rejects.toThrow(
      'ELOOP',
    );
    expect(existsSync(`${folder}/victim`)).toBe(false);
  });

  it('syncs files, folders and whole file systems, and knows what is free', async () => {
    await files.writeFile(`${folder}/f`, Buffer.from('x'), 0o600);
    await files.sync(`${folder}/f`);
    await files.sync(folder);
    await files.syncAll(folder);
    await codeOfAsync(() => files.syncAll(`${folder}/missing`), 'IO_SYNC');
    expect(await files.freeBytes(folder)).toBeGreaterThan(0);
  });
});

describe('the lock', () => {
  it('has one holder at a time, and is free after it', async () => {
    const path = `${folder}/run/lock`;
    const lock = await takeLock(path);
    await codeOfAsync(() => takeLock(path), 'STATE_LOCKED');
    await lock.release();
    await (await takeLock(path)).release();
    expect(await files.readFolder(path)).toEqual([]);
  });

  it.each([
    ['999999999.1.x', 'a process that is gone'],
    [`${process.pid}.1.x`, 'an earlier process of the same number, or before a reboot'],
    ['nonsense', 'no process at all'],
  ])('left behind as %s by %s, is taken over', async (holder) => {
    mkdirSync(`${folder}/lock`);
    writeFileSync(`${folder}/lock/${holder}`, '');
    const lock = await takeLock(`${folder}/lock`);
    await codeOfAsync(() => takeLock(`${folder}/lock`), 'STATE_LOCKED');
    await lock.release();
  });

  it('goes to exactly one of many that find it stale at once', async () => {
    mkdirSync(`${folder}/lock`);
    writeFileSync(`${folder}/lock/999999999.1.x`, '');
    const script = `import { takeLock } from '${import.meta.dirname}/../../src/deploy/lock.ts';
      try { await takeLock('${folder}/lock'); console.log('taken'); await new Promise((r) => setTimeout(r, 3000)); }
      catch (error) { console.log(error.code ?? error); }`;
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () => output(['--input-type=module-typescript', '-e', script])),
    );
    expect(outcomes.map((text) => text.trim()).sort()).toEqual([
      'STATE_LOCKED',
      'STATE_LOCKED',
      'STATE_LOCKED',
      'taken',
    ]);
  });

  it('is waited for', async () => {
    const first = await takeLock(`${folder}/lock`);
    setTimeout(() => void first.release(), 300);
    await (await waitForLock(`${folder}/lock`, 30)).release();
  });
});

function output(args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
    child.on('close', () => resolve(text));
  });
}
