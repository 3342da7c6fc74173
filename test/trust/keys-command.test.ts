import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePublicKey, parseSecretKey } from '../../src/trust/key-file.ts';
import { signCommit } from '../../src/trust/sign.ts';
import { findSigner } from '../../src/trust/verify.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function pinectl(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
}

describe('pinectl keys', () => {
  it('generates a pair that signs and verifies; the secret key is for its owner only', async () => {
    const run = pinectl('keys', 'generate', '-o', 'release', '--json');
    expect(run.status, run.stderr).toBe(0);
    const publicText = readFileSync(join(folder, 'release.pub'), 'utf8');
    const secretText = readFileSync(join(folder, 'release.secret'), 'utf8');
    expect(JSON.parse(run.stdout)).toEqual({
      secret: 'release.secret',
      public: 'release.pub',
      publicKey: publicText.trim(),
    });
    expect(run.stdout).not.toContain(secretText.slice(0, 16));
    expect(statSync(join(folder, 'release.secret')).mode & 0o777).toBe(0o600);
    const message = new Uint8Array([1, 2, 3]);
    const signature = await signCommit(message, parseSecretKey(secretText, 's'));
    const key = parsePublicKey(publicText, 'p');
    expect(await findSigner(message, [signature], [key])).toBe(key);
    for (const file of ['release.secret', 'release.pub']) {
      expect(pinectl('keys', 'show', file).stdout).toBe(publicText);
    }
  });

  it('never overwrites either file, and leaves no half of a pair', () => {
    writeFileSync(join(folder, 'old.pub'), 'mine\n');
    const run = pinectl('keys', 'generate', '-o', 'old');
    expect(run.status).toBe(6);
    expect(run.stderr).toContain('STATE_KEY_EXISTS');
    expect(readdirSync(folder)).toEqual(['old.pub']);
    expect(readFileSync(join(folder, 'old.pub'), 'utf8')).toBe('mine\n');

    writeFileSync(join(folder, 'kept.secret'), 'mine too\n');
    expect(pinectl('keys', 'generate', '-o', 'kept').status).toBe(6);
    expect(readFileSync(join(folder, 'kept.secret'), 'utf8')).toBe('mine too\n');
    expect(readdirSync(folder)).toEqual(['kept.secret', 'old.pub']);
  });
});
