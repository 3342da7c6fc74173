import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeCommit } from '../../src/repo/commit-object.ts';
import { encodeDetachedMetadata, withSignatures } from '../../src/repo/detached-metadata.ts';
import type { Dictionary } from '../../src/repo/gvariant/variant.ts';
import { encodePromised } from '../../src/repo/pine-metadata.ts';
import { commitLimit } from '../../src/trust/authenticate.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { acceptCommit, type Offer } from '../../src/trust/policy.ts';
import { signCommit } from '../../src/trust/sign.ts';
import { codeOfAsync } from '../support/code-of.ts';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let trusted: Pair;
let foreign: Pair;
beforeAll(async () => {
  trusted = await generateKeyPair('/etc/pine/keys/release.pub');
  foreign = await generateKeyPair('foreign');
});

const ref = 'alpine/x86_64/web';
const image = { size: 123_456_789, sha256: '11'.repeat(32) };
const plan = { size: 4096, sha256: '22'.repeat(32) };
const good: Dictionary = [
  ['version', { type: 's', value: '3.20.3' }],
  ['pine.boot-compat', { type: 'u', value: 1 }],
  ['pine.image.1', encodePromised(image)],
  ['pine.plan.1', encodePromised(plan)],
  ['ostree.ref-binding', { type: 'as', value: ['other', ref] }],
];
const without = (key: string) => good.filter(([name]) => name !== key);

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function commitOf(metadata: Dictionary, timestamp = 1_700_000_000): Uint8Array {
  return encodeCommit({
    metadata,
    parent: undefined,
    related: [],
    subject: 'v2',
    body: '',
    timestamp,
    rootTree: '33'.repeat(32),
    rootMeta: '44'.repeat(32),
  });
}

function signed(...signatures: Uint8Array[]): Uint8Array {
  return encodeDetachedMetadata(withSignatures([], signatures));
}

/** An offer of a commit with this metadata, signed by the trusted key. */
async function offerOf(
  metadata: Dictionary,
  changes: Partial<Offer> = {},
  timestamp?: number,
): Promise<Offer> {
  const commit = commitOf(metadata, timestamp);
  return {
    checksum: sha256(commit),
    commit,
    detachedMetadata: signed(await signCommit(commit, trusted.secretKey)),
    keys: [trusted.publicKey],
    followedRef: ref,
    bootCompatibility: 1,
    ...changes,
  };
}

describe('what a machine takes', () => {
  it('takes a commit that a trusted key signed for its ref, and tells what it needs', async () => {
    const offer = await offerOf(good);
    expect(await acceptCommit(offer)).toEqual({
      checksum: offer.checksum,
      timestamp: 1_700_000_000,
      subject: 'v2',
      version: '3.20.3',
      image,
      plan,
      bootCompatibility: 1,
      signedBy: '/etc/pine/keys/release.pub',
      commit: offer.commit,
      detachedMetadata: offer.detachedMetadata,
    });
  });

  it('takes one that has a foreign signature too, and one of the same time as what runs', async () => {
    const offer = await offerOf(good, { running: { commit: 'old', timestamp: 1_700_000_000 } });
    const both = signed(
      await signCommit(offer.commit, foreign.secretKey),
      await signCommit(offer.commit, trusted.secretKey),
    );
    const keys = [(await generateKeyPair('unused')).publicKey, trusted.publicKey];
    const accepted = await acceptCommit({ ...offer, detachedMetadata: both, keys });
    expect(accepted.signedBy).toBe('/etc/pine/keys/release.pub');
  });

  it('S5: refuses a commit that is too large with its signatures, before anything else', async () => {
    const offer = await offerOf(good);
    const large = { ...offer, commit: new Uint8Array(commitLimit + 1) };
    await codeOfAsync(() => acceptCommit(large), 'CORRUPT_TOO_LARGE');
    const detachedMetadata = new Uint8Array(commitLimit - offer.commit.length + 1);
    await codeOfAsync(() => acceptCommit({ ...offer, detachedMetadata }), 'CORRUPT_TOO_LARGE');
  });

  it('S5: refuses another commit, even one that the trusted key signed, under this checksum', async () => {
    const offer = await offerOf(good);
    const other = await offerOf(good, {}, 1_700_000_001);
    const swapped = { ...other, checksum: offer.checksum };
    await codeOfAsync(() => acceptCommit(swapped), 'CORRUPT_COMMIT');
  });

  it('S5: refuses a commit without a signature', async () => {
    const offer = await offerOf(good);
    const other: Dictionary = [['ostree.gpgsigs', { type: 'aay', value: [] }]];
    for (const detachedMetadata of [
      undefined,
      new Uint8Array(0),
      signed(),
      encodeDetachedMetadata(other),
    ]) {
      await codeOfAsync(() => acceptCommit({ ...offer, detachedMetadata }), 'TRUST_NO_SIGNATURE');
    }
  });

  it('S5: refuses signatures of other keys, of other bytes, and any where no key is trusted', async () => {
    const offer = await offerOf(good);
    const byForeign = signed(await signCommit(offer.commit, foreign.secretKey));
    const ofOther = signed(await signCommit(commitOf(good, 1), trusted.secretKey));
    for (const detachedMetadata of [byForeign, ofOther]) {
      await codeOfAsync(() => acceptCommit({ ...offer, detachedMetadata }), 'TRUST_UNKNOWN_KEY');
    }
    await codeOfAsync(() => acceptCommit({ ...offer, keys: [] }), 'TRUST_UNKNOWN_KEY');
  });

  it('S5: refuses a commit of which one bit changed, with its checksum made to fit', async () => {
    const offer = await offerOf(good);
    for (let at = 0; at < offer.commit.length; at += 7) {
      const commit = Uint8Array.from(offer.commit);
      commit[at] = (commit[at] ?? 0) ^ 1;
      const altered = { ...offer, commit, checksum: sha256(commit) };
      await codeOfAsync(() => acceptCommit(altered), 'TRUST_UNKNOWN_KEY');
    }
  });

  it('S5: refuses signatures that are none, or too many to look at', async () => {
    const offer = await offerOf(good);
    const cut = signed(new Uint8Array(63), new Uint8Array(0));
    const flood = signed(...Array.from({ length: 65 }, (_, n) => new Uint8Array(64).fill(n)));
    for (const detachedMetadata of [cut, flood]) {
      await codeOfAsync(() => acceptCommit({ ...offer, detachedMetadata }), 'TRUST_BAD_SIGNATURE');
    }
    const garbage = { ...offer, detachedMetadata: new Uint8Array([1, 2, 3, 4, 5]) };
    await codeOfAsync(() => acceptCommit(garbage), 'CORRUPT_GVARIANT');
  });

  it('S5: does not decode a commit that is not authentic', async () => {
    // Bytes that are no commit at all: as long as nobody signed them, that must not come out.
    const commit = new Uint8Array([0xff, 0xff, 0xff, 0xff]);
    const offer = { ...(await offerOf(good)), commit, checksum: sha256(commit) };
    await codeOfAsync(() => acceptCommit(offer), 'TRUST_UNKNOWN_KEY');
    const detachedMetadata = signed(await signCommit(commit, trusted.secretKey));
    await codeOfAsync(() => acceptCommit({ ...offer, detachedMetadata }), 'CORRUPT_GVARIANT');
  });

  it('refuses a commit that was signed for another ref, or for none', async () => {
    const offer = await offerOf(good, { followedRef: 'alpine/x86_64/db' });
    const error = await codeOfAsync(() => acceptCommit(offer), 'TRUST_WRONG_REF');
    expect(error.details.found).toContain(ref);
    const unbound = await offerOf(without('ostree.ref-binding'));
    await codeOfAsync(() => acceptCommit(unbound), 'TRUST_WRONG_REF');
  });

  it('refuses an older commit than the one that runs, unless that is wanted', async () => {
    const running = { commit: 'new', timestamp: 1_700_000_001 };
    const offer = await offerOf(good, { running });
    await codeOfAsync(() => acceptCommit(offer), 'TRUST_OLDER');
    const accepted = await acceptCommit({ ...offer, allowDowngrade: true });
    expect(accepted.checksum).toBe(offer.checksum);
  });

  it('refuses what its boot loader can not start, and what can not be booted at all', async () => {
    const newer = good.map((pair) =>
      pair[0] === 'pine.boot-compat' ? ([pair[0], { type: 'u', value: 2 }] as const) : pair,
    );
    const offer = await offerOf(newer);
    await codeOfAsync(() => acceptCommit(offer), 'TRUST_BOOT_LOADER');
    expect((await acceptCommit({ ...offer, bootCompatibility: 3 })).bootCompatibility).toBe(2);
    const bare = await offerOf(without('pine.boot-compat'));
    await codeOfAsync(() => acceptCommit(bare), 'INPUT_NOT_BOOTABLE');
  });

  it.each(['pine.image.1', 'pine.plan.1'])('refuses a commit without %s', async (key) => {
    const offer = await offerOf(without(key));
    await codeOfAsync(() => acceptCommit(offer), 'INPUT_NO_IMAGE');
  });

  it('S5: the checks come in their order: an offer that is wrong in all ways fails at each in turn', async () => {
    const bad = commitOf([['ostree.ref-binding', { type: 'as', value: ['x'] }]], 5);
    const rightRef = commitOf([['ostree.ref-binding', { type: 'as', value: [ref] }]], 5);
    const rightTime = commitOf([['ostree.ref-binding', { type: 'as', value: [ref] }]], 11);
    const rest = {
      keys: [trusted.publicKey],
      followedRef: ref,
      bootCompatibility: 0,
      running: { commit: 'x', timestamp: 10 },
    };
    const sign = async (commit: Uint8Array) => signed(await signCommit(commit, trusted.secretKey));
    const large = new Uint8Array(commitLimit + 1);
    const steps: [Pick<Offer, 'checksum' | 'commit' | 'detachedMetadata'>, string][] = [
      [{ checksum: '', commit: large, detachedMetadata: undefined }, 'CORRUPT_TOO_LARGE'],
      [{ checksum: '', commit: bad, detachedMetadata: undefined }, 'CORRUPT_COMMIT'],
      [{ checksum: sha256(bad), commit: bad, detachedMetadata: undefined }, 'TRUST_NO_SIGNATURE'],
      [
        { checksum: sha256(bad), commit: bad, detachedMetadata: await sign(bad) },
        'TRUST_WRONG_REF',
      ],
      [
        { checksum: sha256(rightRef), commit: rightRef, detachedMetadata: await sign(rightRef) },
        'TRUST_OLDER',
      ],
      [
        { checksum: sha256(rightTime), commit: rightTime, detachedMetadata: await sign(rightTime) },
        'INPUT_NOT_BOOTABLE',
      ],
    ];
    for (const [step, code] of steps) {
      await expect(acceptCommit({ ...rest, ...step })).rejects.toMatchObject({ code });
    }
  });
});
