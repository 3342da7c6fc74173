import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';
import { readTrustedKeys } from '../../src/trust/key-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = () => readTrustedKeys(nodeFileSystem, folder);
const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');

describe('the keys that a machine trusts', () => {
  it('reads every .pub file in the order of names, and nothing else', async () => {
    writeFileSync(join(folder, 'b.pub'), key(2));
    writeFileSync(join(folder, 'a.pub'), key(1));
    writeFileSync(join(folder, 'README'), 'not a key');
    const keys = await read();
    expect(keys.map(({ name }) => name)).toEqual([join(folder, 'a.pub'), join(folder, 'b.pub')]);
    expect(keys.map(({ bytes }) => bytes[0])).toEqual([1, 2]);
  });

  it('refuses to go on with no key at all', async () => {
    await codeOfAsync(read, 'TRUST_NO_KEYS');
    await codeOfAsync(() => readTrustedKeys(nodeFileSystem, join(folder, 'gone')), 'TRUST_NO_KEYS');
  });

  it('S5: never trusts a key that a *.revoked file holds, under any name', async () => {
    writeFileSync(join(folder, 'a.pub'), key(1));
    writeFileSync(join(folder, 'copy.pub'), `# mine\n${key(2)}`);
    writeFileSync(join(folder, 'stolen.revoked'), `# stolen in May\n${key(2)}`);
    expect((await read()).map(({ bytes }) => bytes[0])).toEqual([1]);
    writeFileSync(join(folder, 'all.revoked'), key(1));
    await codeOfAsync(read, 'TRUST_NO_KEYS');
  });

  it('does not pass over a file that is not a key: it could be the one that was meant', async () => {
    writeFileSync(join(folder, 'a.pub'), key(1));
    writeFileSync(join(folder, 'b.pub'), 'typo');
    await codeOfAsync(read, 'INPUT_KEY_FILE');
  });

  it('bounds how much it reads, and how many', async () => {
    writeFileSync(join(folder, 'a.pub'), `# ${'x'.repeat(100_000)}`);
    await codeOfAsync(read, 'CORRUPT_TOO_LARGE');
    rmSync(join(folder, 'a.pub'));
    for (let n = 0; n < 65; n += 1) writeFileSync(join(folder, `${n}.pub`), key(n));
    await codeOfAsync(read, 'INPUT_KEY_FILE');
  });
});
