import {
  createPrivateKey,
  createPublicKey,
  sign as nodeSign,
  verify as nodeVerify,
  randomBytes,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../src/trust/generate.ts';
import type { PublicKey, SecretKey } from '../../src/trust/keys.ts';
import { signCommit } from '../../src/trust/sign.ts';
import { tellSigner } from '../../src/trust/tell-signer.ts';
import { findSigner } from '../../src/trust/verify.ts';
import { codeOfAsync } from '../support/code-of.ts';

/** RFC 8032, section 7.1: tests 1, 2 and 3. */
const vectors = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

function secretKeyOf(vector: { seed: string; publicKey: string }): SecretKey {
  return { bytes: hex(vector.seed + vector.publicKey), name: 'RFC 8032' };
}

/** The same keys in the forms that node:crypto takes: DER with its fixed prefixes (RFC 8410). */
function nodeKeys(secretKey: SecretKey) {
  const seed = Buffer.from(secretKey.bytes.subarray(0, 32));
  const publicBytes = Buffer.from(secretKey.bytes.subarray(32));
  return {
    privateKey: createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
      format: 'der',
      type: 'pkcs8',
    }),
    publicKey: createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicBytes]),
      format: 'der',
      type: 'spki',
    }),
  };
}

describe('Ed25519 by libsodium', () => {
  it.each(vectors)('signs and verifies the vector of RFC 8032 for $seed', async (vector) => {
    const message = hex(vector.message);
    const signature = await signCommit(message, secretKeyOf(vector));
    expect(Buffer.from(signature).toString('hex')).toBe(vector.signature);
    const key = { bytes: hex(vector.publicKey), name: 'vector' };
    expect(await findSigner(message, [signature], [key])).toBe(key);
  });

  it('agrees with node:crypto, both ways, on keys and messages of its own', async () => {
    for (const length of [0, 1, 64, 333, 5000]) {
      const message = new Uint8Array(randomBytes(length));
      const { secretKey, publicKey } = await generateKeyPair('test');
      const node = nodeKeys(secretKey);
      const ours = await signCommit(message, secretKey);
      expect(nodeVerify(null, message, node.publicKey, ours)).toBe(true);
      const theirs = new Uint8Array(nodeSign(null, message, node.privateKey));
      expect(await findSigner(message, [theirs], [publicKey])).toBe(publicKey);
      expect(Buffer.from(secretKey.bytes.subarray(32))).toEqual(Buffer.from(publicKey.bytes));
    }
  });

  it('makes a new pair each time', async () => {
    const first = await generateKeyPair('a');
    const second = await generateKeyPair('b');
    expect(first.secretKey.bytes).not.toEqual(second.secretKey.bytes);
  });

  it('finds the one trusted key among foreign keys, broken signatures and good ones', async () => {
    const message = hex('00112233');
    const foreign = await generateKeyPair('foreign');
    const trusted = await generateKeyPair('trusted');
    const signatures = [
      new Uint8Array(0),
      new Uint8Array(63),
      new Uint8Array(64).fill(0xff),
      await signCommit(message, foreign.secretKey),
      await signCommit(message, trusted.secretKey),
    ];
    const keys: PublicKey[] = [(await generateKeyPair('unused')).publicKey, trusted.publicKey];
    expect((await findSigner(message, signatures, keys))?.name).toBe('trusted');
    expect(await findSigner(message, signatures.slice(0, 4), keys)).toBeUndefined();
    expect(await findSigner(message, [], keys)).toBeUndefined();
    expect(await findSigner(message, signatures, [])).toBeUndefined();
  });

  it('refuses every single bit flipped in the message, the signature or the key', async () => {
    const message = hex('a5'.repeat(8));
    const { secretKey, publicKey } = await generateKeyPair('test');
    const signature = await signCommit(message, secretKey);
    const flips = (bytes: Uint8Array) =>
      Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = Uint8Array.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return copy;
      });
    for (const m of flips(message)) {
      expect(await findSigner(m, [signature], [publicKey])).toBeUndefined();
    }
    for (const s of flips(signature)) {
      expect(await findSigner(message, [s], [publicKey])).toBeUndefined();
    }
    for (const bytes of flips(publicKey.bytes)) {
      expect(await findSigner(message, [signature], [{ bytes, name: '' }])).toBeUndefined();
    }
  });

  it('refuses a signature that was made malleable: S plus the order of the group', async () => {
    const message = hex('01');
    const { secretKey, publicKey } = await generateKeyPair('test');
    const signature = await signCommit(message, secretKey);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
    const larger = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').reverse();
    const forged = new Uint8Array([...signature.subarray(0, 32), ...larger]);
    expect(await findSigner(message, [forged], [publicKey])).toBeUndefined();
  });

  it('refuses a key of small order, with which one signature fits many messages', async () => {
    const key = { bytes: new Uint8Array(32).fill(1, 0, 1), name: 'identity' };
    const signature = new Uint8Array(64).fill(1, 0, 1);
    expect(await findSigner(hex('00'), [signature], [key])).toBeUndefined();
  });

  it('does not sign with a secret key whose halves are not a pair', async () => {
    const first = await generateKeyPair('a');
    const second = await generateKeyPair('b');
    const bytes = new Uint8Array([
      ...first.secretKey.bytes.subarray(0, 32),
      ...second.publicKey.bytes,
    ]);
    await codeOfAsync(() => signCommit(hex('00'), { bytes, name: 'mixed' }), 'INPUT_KEY_HALVES');
  });
});

describe('the signer that is only told', () => {
  it('is the one that libsodium finds, among several keys and signatures', async () => {
    const [one, two, other] = await Promise.all(['one', 'two', 'other'].map(generateKeyPair));
    if (!one || !two || !other) throw new Error('no keys');
    for (let length = 0; length < 40; length += 1) {
      const message = randomBytes(length);
      const signatures = [
        await signCommit(message, other.secretKey),
        randomBytes(64),
        new Uint8Array(63),
        await signCommit(message, two.secretKey),
      ];
      const keys = [one.publicKey, two.publicKey];
      expect(tellSigner(message, signatures, keys)).toBe(keys[1]);
      expect(await findSigner(message, signatures, keys)).toBe(keys[1]);
      expect(tellSigner(Buffer.concat([message, Buffer.of(0)]), signatures, keys)).toBeUndefined();
    }
  });
});
