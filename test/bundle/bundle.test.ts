import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { createBundle } from '../../src/bundle/create-bundle.ts';
import { describeBundle } from '../../src/bundle/describe-bundle.ts';
import { importBundle } from '../../src/bundle/import-bundle.ts';
import { encodeIndex } from '../../src/delta/chain/delta-index.ts';
import { deltaIndexPath, deltaPath, nothing } from '../../src/delta/delta-path.ts';
import { encodeFull } from '../../src/delta/encode/full-delta.ts';
import { generateDelta } from '../../src/delta/generate.ts';
import { generateFullDelta } from '../../src/delta/generate-full.ts';
import { signDelta } from '../../src/delta/sign-delta.ts';
import { listDeltas } from '../../src/delta/store.ts';
import { PineError } from '../../src/error.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { encodeCommit } from '../../src/repo/commit-object.ts';
import { encodeDetachedMetadata, withSignatures } from '../../src/repo/detached-metadata.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { objectPath } from '../../src/repo/object-name.ts';
import { promisedImage } from '../../src/repo/pine-metadata.ts';
import { refPath } from '../../src/repo/ref-name.ts';
import { readRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import type { PublicKey, SecretKey } from '../../src/trust/keys.ts';
import { signCommit } from '../../src/trust/sign.ts';
import { applyDelta, openBytes } from '../delta/support/image-pair.ts';
import { mutate, randomSource } from '../fuzz/mutate.ts';
import { ostree } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { smallRepository, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';
import { bundleOf, openBundleBytes } from './support/bundle-of.ts';

const folder = temporaryFolder();
const ref = 'test/small';
let repository: Repository;
let keys: { readonly publicKey: PublicKey; readonly secretKey: SecretKey };
let one: string;
let two: string;
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  keys = await generateKeyPair('release');
  const signKeys = [keys.secretKey];
  ({ repository, commit: one } = await smallRepository(path('repo'), { signKeys }));
  cpSync(path('repo'), path('other'), { recursive: true });
  const options = { ref, timestamp: timestamp + 1, image: true, signKeys };
  ({ commit: two } = await commitTree(repository, smallTree('another'), options));
  await generateDelta(repository, { from: one, to: two }, { keys: signKeys });
  await generateFullDelta(repository, two, { keys: signKeys });
  await createBundle(repository, { ref, commit: two, from: [one] }, path('delta.bundle'));
  await createBundle(repository, { ref, commit: two, from: [nothing] }, path('full.bundle'));
});

async function bring(into: Repository, bytes: Uint8Array, options = {}) {
  const { bundle, remote } = await openBundleBytes(bytes);
  return importBundle(into, bundle, remote, { keys: [keys.publicKey], force: false, ...options });
}

describe('a bundle', () => {
  test('is a tar with files of the repository, the same each time', async () => {
    const bytes = readFileSync(path('delta.bundle'));
    await createBundle(repository, { ref, commit: two, from: [one] }, path('again.bundle'));
    expect(readFileSync(path('again.bundle')).equals(bytes)).toBe(true);
    const listed = execFileSync('tar', ['tf', path('delta.bundle')], { encoding: 'utf8' });
    const names = listed.trim().split('\n');
    expect(names[0]).toBe('pine-bundle');
    for (const name of names.slice(1).filter((each) => !each.endsWith('/index'))) {
      const member = execFileSync('tar', ['xOf', path('delta.bundle'), name]);
      expect(member.equals(readFileSync(join(repository.path, name))), name).toBe(true);
    }
    expect(names.filter((name) => name.endsWith('.delta'))).toHaveLength(1);
  });

  test('tells what is in it', async () => {
    const { bundle, remote } = await openBundleBytes(readFileSync(path('delta.bundle')));
    const description = await describeBundle(bundle, remote, [keys.publicKey]);
    expect(description).toMatchObject({
      ref,
      commit: two,
      timestamp: timestamp + 1,
      signatures: 1,
      signedBy: 'release',
      deltas: [{ from: one, signedBy: 'release' }],
    });
    const other = (await generateKeyPair('other')).publicKey;
    await codeOfAsync(() => describeBundle(bundle, remote, [other]), 'TRUST_UNKNOWN_KEY');
    const unsigned = await describeBundle(bundle, remote, undefined);
    expect(unsigned.signedBy).toBeUndefined();
  });

  test('is not made of a commit that was not made for the ref', async () => {
    const contents = { ref: 'test/other', commit: two, from: [one] };
    const create = () => createBundle(repository, contents, path('x.bundle'));
    await codeOfAsync(create, 'INPUT_REF_NOT_BOUND');
  });

  test.each(['delta', 'full'])('with a %s brings the whole commit', async (kind) => {
    const name = `import-${kind}`;
    if (kind === 'delta') cpSync(path('other'), path(name), { recursive: true });
    else await Repository.init(path(name), quick);
    const into = await Repository.open(path(name));
    const bytes = readFileSync(path(`${kind}.bundle`));
    expect(await bring(into, bytes)).toMatchObject({ ref, commit: two, deltas: 1 });
    expect(await readRef(into, ref)).toBe(two);
    expect((await checkRepository(into)).problems).toEqual([]);
    for (const object of ['commit', 'commitmeta', 'plan'] as const) {
      const [found, wanted] = [into, repository].map((each) =>
        readFileSync(each.objectFile(two, object)),
      );
      expect(found?.equals(wanted ?? Buffer.of())).toBe(true);
    }
    expect(await listDeltas(into)).toHaveLength(1);
    expect(readdirSync(join(into.path, 'tmp'))).toEqual([]);
    if (missing('ostree') === undefined) {
      expect(ostree(into.path, 'fsck')).toContain('object');
      expect(ostree(into.path, 'ls', ref, '/etc/motd')).toContain('/etc/motd');
    }
    // Once more: nothing is new.
    expect(await bring(into, bytes)).toMatchObject({ objects: 0 });
  });

  test('S5: is refused by a repository when it is not signed, older, or of no use', async () => {
    const into = await Repository.init(path('refusing'), quick);
    const full = readFileSync(path('full.bundle'));
    const other = (await generateKeyPair('other')).publicKey;
    await codeOfAsync(() => bring(into, full, { keys: [other] }), 'TRUST_UNKNOWN_KEY');
    const delta = readFileSync(path('delta.bundle'));
    await codeOfAsync(() => bring(into, delta), 'NOT_FOUND_WAY');
    expect(await readRef(into, ref)).toBeUndefined();
    expect(into.has(two, 'commit')).toBe(false);
    await generateFullDelta(repository, one, { keys: [keys.secretKey] });
    await createBundle(repository, { ref, commit: one, from: [nothing] }, path('old.bundle'));
    await bring(into, full);
    const old = readFileSync(path('old.bundle'));
    await codeOfAsync(() => bring(into, old), 'TRUST_OLDER');
    await bring(into, old, { force: true });
    expect(await readRef(into, ref)).toBe(one);
  });

  /** The files of a bundle, to be put together otherwise. */
  async function filesOf(name: string): Promise<Map<string, Buffer>> {
    const { bundle } = await openBundleBytes(readFileSync(path(name)));
    const files = new Map<string, Buffer>();
    for (const each of bundle.paths) {
      const file = bundle.file(each);
      if (file !== undefined) files.set(each, await file.read(0, file.size));
    }
    return files;
  }

  test('S5: deltas that are signed do not stand for a commit that is not', async () => {
    const files = await filesOf('full.bundle');
    expect(bundleOf(files).length).toBeGreaterThan(1000);
    const into = await Repository.init(path('unsigned'), quick);
    files.delete(objectPath(two, 'commitmeta'));
    await codeOfAsync(() => bring(into, bundleOf(files)), 'TRUST_NO_SIGNATURE');
    expect(into.has(two, 'commit')).toBe(false);
    expect(await bring(into, bundleOf(files), { keys: undefined })).toMatchObject({ commit: two });
  });

  test('S5: an image that is not the tree of its commit is not stored', async () => {
    const commit = await repository.readCommit(two);
    const object = encodeCommit({ ...commit, rootTree: 'ab'.repeat(32) });
    const checksum = createHash('sha256').update(object).digest('hex');
    const image = promisedImage(commit);
    if (image === undefined) throw new Error('no image');
    const files = await filesOf('full.bundle');
    const full = await openBytes(files.get(deltaPath({ from: nothing, to: two })) ?? Buffer.of());
    const { bytes } = await applyDelta(full, bytesReader(Buffer.of()));
    const pieces = async function* () {
      yield bytes;
    };
    const literals = path('literals');
    const delta = await encodeFull({ commit: checksum, image }, pieces(), literals);
    const signed = await signDelta(delta, [keys.secretKey]);
    const signature = await signCommit(object, keys.secretKey);
    const bytesOfDelta = Buffer.concat([...signed, readFileSync(literals)]);
    const links = [
      { from: nothing, to: checksum, size: bytesOfDelta.length, made: image.size, scratch: 0 },
    ];
    const sources = [{ commit: nothing, files: undefined, links }];
    const lying = bundleOf([
      ['config', files.get('config') ?? Buffer.of()],
      [refPath(ref), Buffer.from(`${checksum}\n`)],
      [objectPath(checksum, 'commit'), object],
      [objectPath(checksum, 'commitmeta'), encodeDetachedMetadata(withSignatures([], [signature]))],
      [deltaIndexPath(checksum), Buffer.from(encodeIndex(checksum, { sources, more: false }))],
      [deltaPath({ from: nothing, to: checksum }), bytesOfDelta],
    ]);
    const into = await Repository.init(path('lying'), quick);
    await codeOfAsync(() => bring(into, lying), 'CORRUPT_IMAGE');
    expect(into.has(checksum, 'commit')).toBe(false);
    expect(await readRef(into, ref)).toBeUndefined();
    expect(readdirSync(join(into.path, 'tmp'))).toEqual([]);
  });

  test('S5: a commit that is not what its name says is neither shown nor stored', async () => {
    const files = await filesOf('full.bundle');
    const object = Buffer.from(files.get(objectPath(two, 'commit')) ?? Buffer.of());
    // Its time: it can still be decoded, and its tree is the same.
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(timestamp + 1));
    const at = object.indexOf(time);
    expect(at).toBeGreaterThanOrEqual(0);
    object.writeBigUInt64BE(BigInt(timestamp + 2), at);
    const changed = bundleOf(new Map(files).set(objectPath(two, 'commit'), object));
    const garbled = bundleOf(
      new Map(files).set(objectPath(two, 'commitmeta'), Buffer.from('garbage')),
    );
    const into = await Repository.init(path('changed'), quick);
    for (const [bytes, code] of [
      [changed, 'CORRUPT_COMMIT'],
      [garbled, 'CORRUPT_GVARIANT'],
    ] as const) {
      const { bundle, remote } = await openBundleBytes(bytes);
      await codeOfAsync(() => describeBundle(bundle, remote, undefined), code);
      await codeOfAsync(() => bring(into, bytes, { keys: undefined }), code);
    }
    expect(into.has(two, 'commit')).toBe(false);
  });

  test('is shown as strictly as it is applied: each delta is the one that its name says', async () => {
    const files = await filesOf('full.bundle');
    const other = await filesOf('delta.bundle');
    const full = deltaPath({ from: nothing, to: two });
    const bytes = other.get(deltaPath({ from: one, to: two })) ?? Buffer.of();
    const link = { from: nothing, to: two, size: bytes.length, made: 0, scratch: 0 };
    const sources = [{ commit: nothing, files: undefined, links: [link] }];
    files.set(deltaIndexPath(two), Buffer.from(encodeIndex(two, { sources, more: false })));
    const { bundle, remote } = await openBundleBytes(bundleOf(files.set(full, bytes)));
    await codeOfAsync(() => describeBundle(bundle, remote, [keys.publicKey]), 'CORRUPT_DELTA');
    const renamed = await filesOf('full.bundle');
    renamed.delete(refPath(ref));
    renamed.set(refPath('test/other'), Buffer.from(`${two}\n`));
    const unbound = await openBundleBytes(bundleOf(renamed));
    const show = () => describeBundle(unbound.bundle, unbound.remote, undefined);
    await codeOfAsync(show, 'INPUT_REF_NOT_BOUND');
  });

  test('the error of a signature names the keys that were asked for', async () => {
    const { bundle, remote } = await openBundleBytes(readFileSync(path('full.bundle')));
    const other = (await generateKeyPair('other.pub')).publicKey;
    const error = await describeBundle(bundle, remote, [other]).catch((each: unknown) => each);
    if (!(error instanceof PineError)) throw error;
    expect(error.code).toBe('TRUST_UNKNOWN_KEY');
    expect(error.message).toBe('no key of --key signed the commit');
    expect(error.details.expected).toContain('other.pub');
    expect(error.details.remedy).toContain('--key');
    expect(error.toText()).not.toContain('/etc/pine/keys');
  });

  test('S7: the ref moves when the deltas are there', async () => {
    const into = await Repository.init(path('in-the-way'), quick);
    writeFileSync(join(into.path, 'pine'), 'no folder');
    const full = readFileSync(path('full.bundle'));
    await expect(bring(into, full)).rejects.toThrow();
    expect(await readRef(into, ref)).toBeUndefined();
    expect(await listDeltas(into)).toEqual([]);
    rmSync(join(into.path, 'pine'));
    // The commit is there already: the rest comes.
    expect(await bring(into, full)).toMatchObject({ objects: 0, deltas: 1 });
    expect(await readRef(into, ref)).toBe(two);
    expect(await listDeltas(into)).toHaveLength(1);
    expect((await checkRepository(into)).problems).toEqual([]);
    expect(readdirSync(join(into.path, 'tmp'))).toEqual([]);
  });

  test('cut or changed anywhere ends in an error, or brings the right commit', async () => {
    const into = await Repository.init(path('fuzzed'), quick);
    const full = readFileSync(path('full.bundle'));
    const seed = Number(process.env.PINE_FUZZ_SEED ?? 7);
    const random = randomSource(seed);
    console.info(`PINE_FUZZ_SEED=${seed}`);
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const bytes =
        round % 3 === 0 ? full.subarray(0, random(full.length)) : mutate([full], random);
      try {
        await bring(into, bytes);
        expect(await readRef(into, ref)).toBe(two);
      } catch (error) {
        if (!(error instanceof PineError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect((await checkRepository(into)).problems).toEqual([]);
  });
});

test('the commands make, show and apply one', async () => {
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const pinectl = (...args: string[]) => {
    const run = spawnSync(process.execPath, [main, ...args, '--json'], { cwd: folder });
    return { error: run.stderr.toString(), result: JSON.parse(run.stdout.toString() || '{}') };
  };
  writeFileSync(path('a.pub'), Buffer.from(keys.publicKey.bytes).toString('base64'));
  const create = ['bundle', 'create', ref, '--repo', 'repo', '-o', 'made.bundle'];
  expect(pinectl(...create).result).toMatchObject({ ref, commit: two, from: [''] });
  expect(readFileSync(path('made.bundle')).equals(readFileSync(path('full.bundle')))).toBe(true);
  expect(pinectl(...create, '--from', one, '--full').result.from).toEqual([one, '']);
  const shown = pinectl('bundle', 'show', 'made.bundle', '--key', 'a.pub').result;
  expect(shown.deltas.map(({ from }: { from: string }) => from).sort()).toEqual(['', one]);
  expect(pinectl('init', '--repo', 'empty').error).toBe('');
  const apply = ['bundle', 'apply', 'made.bundle', '--repo', 'empty'];
  expect(pinectl(...apply).error).toContain('TRUST_NO_KEYS');
  expect(pinectl(...apply, '--key', 'a.pub').result).toMatchObject({ ref, commit: two });
  expect(pinectl('bundle', 'show', 'a.pub').error).toContain('CORRUPT_BUNDLE');
  expect(pinectl('bundle', 'show', 'gone.bundle').error).toContain('gone.bundle');
}, 60_000);
