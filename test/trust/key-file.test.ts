import { describe, expect, it } from 'vitest';
import { parsePublicHalf, parsePublicKey, parseSecretKey } from '../../src/trust/key-file.ts';
import { codeOf } from '../support/code-of.ts';

const publicText = Buffer.alloc(32, 7).toString('base64');
const secretText = Buffer.alloc(64, 7).toString('base64');

describe('key files', () => {
  it('takes one base64 key among comments and empty lines', () => {
    const key = parsePublicKey(`# build host\n\n  ${publicText}  # 2026\r\n`, 'a.pub');
    expect(Buffer.from(key.bytes)).toEqual(Buffer.alloc(32, 7));
    expect(key.name).toBe('a.pub');
    expect(parseSecretKey(secretText, 'a.secret').bytes).toHaveLength(64);
  });

  it('says so when a secret key is given where a public one belongs, without printing it', () => {
    const error = codeOf(() => parsePublicKey(secretText, 'a.pub'), 'INPUT_SECRET_KEY');
    expect(error.toText()).toContain('secret key');
    expect(error.toText()).not.toContain(secretText.slice(0, 12));
    expect(JSON.stringify(error)).not.toContain(secretText.slice(0, 12));
  });

  it('says so when a public key is given where a secret one belongs', () => {
    codeOf(() => parseSecretKey(publicText, 'a.secret'), 'INPUT_PUBLIC_KEY');
  });

  it('gives the public half of either kind', () => {
    const secret = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]).toString('base64');
    expect(Buffer.from(parsePublicHalf(secret, 'x').bytes)).toEqual(Buffer.alloc(32, 2));
    expect(Buffer.from(parsePublicHalf(publicText, 'x').bytes)).toEqual(Buffer.alloc(32, 7));
  });

  it.each([
    ['nothing', ''],
    ['only comments', '# nothing\n'],
    ['two keys', `${publicText}\n${publicText}\n`],
    ['base64 without its padding', publicText.replace('=', '')],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64url')],
    ['non-zero bits after the end', `${publicText.slice(0, -2)}d=`],
    ['a key with a space in it', `${publicText.slice(0, 9)} ${publicText.slice(9)}`],
    ['hex', Buffer.alloc(32, 7).toString('hex')],
    ['31 bytes', Buffer.alloc(31, 7).toString('base64')],
    ['65 bytes', Buffer.alloc(65, 7).toString('base64')],
    ['a PEM key', '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n'],
    ['a file of 10 kB', `# ${'x'.repeat(10_000)}\n${publicText}`],
  ])('refuses %s', (_, text) => {
    codeOf(() => parsePublicKey(text, 'a.pub'), 'INPUT_KEY_FILE');
    codeOf(() => parseSecretKey(text, 'a.pub'), 'INPUT_KEY_FILE');
  });

  it('says nothing of the text of a secret key that was cut short', () => {
    const cut = secretText.slice(0, 80);
    const error = codeOf(() => parseSecretKey(cut, 'a.secret'), 'INPUT_KEY_FILE');
    expect(JSON.stringify(error)).not.toContain(cut.slice(0, 12));
  });
});
