import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { imageOfCommit } from '../../src/delta/commit-image.ts';
import { generateDelta } from '../../src/delta/generate.ts';
import { listDeltas, removeDelta } from '../../src/delta/store.ts';
import { withPlannedImage } from '../../src/delta/with-planned-image.ts';
import { lockForWriting } from '../../src/repo/lock.ts';
import { promisedImage } from '../../src/repo/pine-metadata.ts';
import { Repository } from '../../src/repo/repository.ts';
import { smallRepository, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { sha256 } from './support/image-pair.ts';

const folder = temporaryFolder();
const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

function pinectl(...args: string[]) {
  return pinectlIn({}, ...args);
}

function pinectlIn(environment: Record<string, string>, ...args: string[]) {
  const all = [main, ...args, '--json'];
  const env = { ...process.env, ...environment };
  const run = spawnSync(process.execPath, all, { cwd: folder, encoding: 'utf8', env });
  return { status: run.status, text: run.stderr, result: JSON.parse(run.stdout || '{}') };
}

/** Two commits on one ref. */
async function twoCommits(
  name: string,
): Promise<{ repository: Repository; from: string; to: string }> {
  const { repository, commit: from } = await smallRepository(join(folder, name));
  const options = { ref: 'test/small', timestamp: timestamp + 1, image: true };
  const { commit: to } = await commitTree(repository, smallTree('another greeting'), options);
  return { repository, from, to };
}

test('a delta is made from the parent, listed, shown, applied and pruned', async () => {
  const { repository, from, to } = await twoCommits('repo');
  expect(pinectl('keys', 'generate', '-o', 'release').status).toBe(0);
  expect(pinectl('keys', 'generate', '-o', 'other').status).toBe(0);
  const generate = ['delta', 'generate', '--repo', 'repo', '--to', 'test/small'];
  const made = pinectl(...generate, '--sign-key', 'release.secret').result.made[0];
  expect(made).toMatchObject({ from, to });
  const path = join(folder, 'repo/pine/deltas', to, `${from}.delta`);
  const bytes = readFileSync(path);
  expect(bytes.length).toBe(made.size);
  expect(pinectl(...generate).result).toMatchObject({ made: [], kept: [{ from, to }] });
  pinectl(...generate, '--sign-key', 'release.secret', '--force');
  expect(readFileSync(path).equals(bytes)).toBe(true);
  // One that an older pinectl made, which nobody can read any more.
  const old = Buffer.from(bytes);
  old.writeUInt32LE(2, 8);
  for (const key of [[], ['--sign-key', 'release.secret']]) {
    writeFileSync(path, old);
    expect(pinectl(...generate, ...key).result).toMatchObject({ made: [{ from, to }], kept: [] });
  }
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(pinectl(...generate, '--from', from, '--depth', '2').text).toContain('USAGE_COMMAND_LINE');
  const best = pinectl(...generate, '--best', '--force').result.made[0];
  expect(best.size).toBeLessThanOrEqual(bytes.length);
  writeFileSync(path, bytes);
  expect(readdirSync(join(folder, 'repo/tmp'))).toEqual([]);

  expect(pinectl('delta', 'list', '--repo', 'repo').result.deltas).toEqual([made]);
  const shown = pinectl('delta', 'show', '--repo', 'repo', `${from}..${to}`).result;
  expect(shown.size).toBe(made.size);
  expect(shown.bytes.extent).toBe(100_000);
  const all = shown.bytes.extent + shown.bytes.patch + shown.bytes.literal + shown.bytes.zeros;
  expect(all).toBe(shown.to.image.size);
  expect(shown.files.map((file: { path: string }) => file.path)).toContain('/etc/motd');

  const images = [from, to].map((commit, index) => {
    const output = `${index}.squashfs`;
    const args = ['--repo', 'repo', '--ref', commit, '--format', 'squashfs', '-o', output];
    expect(pinectl('image', ...args).status).toBe(0);
    return output;
  });
  const apply = (image: string, key: string) =>
    pinectl('delta', 'apply', path, '--from', image, '-o', 'made.squashfs', '--key', key);
  const right = apply(images[0] ?? '', 'release.pub');
  expect(right.result).toMatchObject({ from, to, signedBy: 'release.pub' });
  const image = promisedImage(await repository.readCommit(to));
  expect(sha256(readFileSync(join(folder, 'made.squashfs')))).toBe(image?.sha256);
  expect(apply(images[1] ?? '', 'release.pub').text).toContain('INPUT_DELTA_BASE');
  expect(apply(images[0] ?? '', 'other.pub').text).toContain('TRUST_UNKNOWN_KEY');
  const keyless = ['delta', 'apply', path, '--from', images[0] ?? '', '-o', 'x.squashfs'];
  expect(pinectl(...keyless).text).toContain('TRUST_NO_KEYS');
  writeFileSync(path, bytes.subarray(0, bytes.length - 1));
  expect(apply(images[0] ?? '', 'release.pub').text).toContain('CORRUPT_DELTA');
  expect(existsSync(join(folder, 'x.squashfs'))).toBe(false);

  // From a repository that has the old commit; and from nothing.
  writeFileSync(path, bytes);
  const fromRepository = ['delta', 'apply', path, '--from', 'repo', '-o', 'again.squashfs'];
  expect(pinectl(...fromRepository, '--key', 'release.pub').result).toMatchObject({ from, to });
  expect(sha256(readFileSync(join(folder, 'again.squashfs')))).toBe(image?.sha256);
  const full = pinectl(...generate, '--from', '', '--sign-key', 'release.secret').result.made[0];
  expect(full).toMatchObject({ from: '', to });
  expect(pinectl('delta', 'list', '--repo', 'repo').result.deltas).toContainEqual(full);
  const whole = ['delta', 'apply', '--repo', 'repo', `..${to}`, '-o', 'whole.squashfs'];
  expect(pinectl(...whole, '--key', 'release.pub').result).toMatchObject({ from: '', to });
  expect(sha256(readFileSync(join(folder, 'whole.squashfs')))).toBe(image?.sha256);
  expect(pinectl('delta', 'show', '--repo', 'repo', `..${to}`).result.bytes.literal).toBe(
    image?.size,
  );
  expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);

  expect(pinectl('delta', 'prune', '--repo', 'repo').result.removed).toEqual([]);
  expect(pinectl('refs', '--repo', 'repo', '--delete', 'test/small').status).toBe(0);
  const prune = ['delta', 'prune', '--repo', 'repo'];
  expect(pinectl(...prune, '--dry-run').result.removed).toHaveLength(2);
  expect(existsSync(path)).toBe(true);
  expect(pinectl(...prune).result.removed).toHaveLength(2);
  expect(readdirSync(join(folder, 'repo/pine/deltas'))).toEqual([]);
}, 60_000);

test('what is left over of a kill is in nobody’s way, and two writers are not at work at once', async () => {
  const { repository, from, to } = await twoCommits('killed');
  mkdirSync(join(repository.path, 'tmp'), { recursive: true });
  writeFileSync(join(repository.path, 'tmp/pine-delta-old'), 'left over');
  appendFileSync(join(repository.path, 'config'), 'lock-timeout-secs=0\n');
  const lock = await lockForWriting(repository);
  const impatient = await Repository.open(repository.path);
  await codeOfAsync(() => generateDelta(impatient, { from, to }, { keys: [] }), 'STATE_LOCKED');
  await lock.release();
  await generateDelta(repository, { from, to }, { keys: [] });
  expect(await listDeltas(repository)).toMatchObject([{ from, to }]);
  await removeDelta(repository, { from, to });
  expect(await listDeltas(repository)).toEqual([]);
});

test('the number of threads changes no byte of a delta', async () => {
  const { from, to } = await twoCommits('threads');
  const made = ['1', '8'].map((threads) => {
    const generate = ['delta', 'generate', '--repo', 'threads', '--to', to, '--force'];
    expect(pinectlIn({ UV_THREADPOOL_SIZE: threads }, ...generate).status).toBe(0);
    return readFileSync(join(folder, 'threads/pine/deltas', to, `${from}.delta`));
  });
  expect(made[0]?.equals(made[1] ?? Buffer.alloc(0))).toBe(true);
});

test('a plan that the commit does not promise, and a damaged object, are named', async () => {
  const { repository, from, to } = await twoCommits('damaged');
  const run = () => generateDelta(repository, { from, to }, { keys: [] });
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  // The last byte of the plan is of the image's tables.
  const path = repository.objectFile(to, 'plan');
  const plan = readFileSync(path);
  flip(path, plan.length - 1);
  await codeOfAsync(run, 'CORRUPT_PLAN');
  writeFileSync(path, plan);
  // The first file of the image, behind the superblock.
  const end = await imageOfCommit(repository, to);
  const greeting = await withPlannedImage(repository, end, join(folder, 'image'), async (image) =>
    image.objectAt(96),
  );
  const object = repository.objectFile(greeting ?? '', 'filez');
  flip(object, readFileSync(object).length - 1);
  await codeOfAsync(run, 'CORRUPT_OBJECT');
});

test('a commit without an image, or without its plan, is named', async () => {
  const { repository, from, to } = await twoCommits('plain');
  const options = { ref: 'plain', timestamp, image: false };
  const { commit } = await commitTree(repository, smallTree('plain'), options);
  const run = () => generateDelta(repository, { from, to: commit }, { keys: [] });
  await codeOfAsync(run, 'NOT_FOUND_IMAGE');
  spawnSync('rm', [repository.objectFile(to, 'plan')]);
  await codeOfAsync(() => generateDelta(repository, { from, to }, { keys: [] }), 'NOT_FOUND_PLAN');
});
