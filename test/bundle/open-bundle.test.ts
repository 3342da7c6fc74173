import { expect, test } from 'vitest';
import { encodeIndex } from '../../src/delta/chain/delta-index.ts';
import { deltaIndexPath, deltaPath, nothing } from '../../src/delta/delta-path.ts';
import { PineError } from '../../src/error.ts';
import { objectPath } from '../../src/repo/object-name.ts';
import { refPath } from '../../src/repo/ref-name.ts';
import { bundleOf, openBundleBytes } from './support/bundle-of.ts';

const commit = 'c0'.repeat(32);
const other = 'd1'.repeat(32);
const full = deltaPath({ from: nothing, to: commit });
const index = deltaIndexPath(commit);

/** An index that tells of deltas from these commits, by the bytes that they have. */
function indexOf(sizes: Readonly<Record<string, number>>, more = false): Buffer {
  const sources = Object.entries(sizes).map(([from, size]) => ({
    commit: from,
    files: undefined,
    links: [{ from, to: commit, size, made: 1, scratch: 0 }],
  }));
  return Buffer.from(encodeIndex(commit, { sources, more }));
}

/** The files of a bundle, with others in the place of some; `undefined` takes one away. */
function filesWith(changes: Readonly<Record<string, string | Buffer | undefined>> = {}) {
  const files = new Map<string, Buffer>([
    ['config', Buffer.from('[core]\nrepo_version=1\nmode=archive-z2\n')],
    [refPath('test/ref'), Buffer.from(`${commit}\n`)],
    [objectPath(commit, 'commit'), Buffer.from('a commit')],
    [objectPath(commit, 'commitmeta'), Buffer.from('its signatures')],
    [index, indexOf({ [nothing]: 5 })],
    [full, Buffer.from('delta')],
  ]);
  for (const [name, content] of Object.entries(changes)) {
    if (content === undefined) files.delete(name);
    else files.set(name, Buffer.from(content));
  }
  return files;
}

async function refusal(bytes: Buffer): Promise<PineError> {
  const error = await openBundleBytes(bytes).catch((each: unknown) => each);
  if (!(error instanceof PineError)) throw new Error('it was opened', { cause: error });
  return error;
}

test('a bundle tells its ref, its commit and what its deltas are from', async () => {
  const { bundle } = await openBundleBytes(bundleOf(filesWith()));
  expect(bundle).toMatchObject({ ref: 'test/ref', commit, sources: [nothing] });
  const unsigned = filesWith({ [objectPath(commit, 'commitmeta')]: undefined });
  await openBundleBytes(bundleOf(unsigned));
  // A list that had no room for all.
  await openBundleBytes(bundleOf(filesWith({ [index]: indexOf({}, true) })));
});

test.each([
  ['../evil', 'x'],
  ['/tmp/evil', 'x'],
  ['hello', 'x'],
  ['objects/ab', 'x'],
  ['pine/deltas/../../evil', 'x'],
  [`pine/deltas/${commit}/x.delta`, 'x'],
  [deltaPath({ from: nothing, to: other }), 'x'],
  [objectPath(other, 'commit'), 'x'],
  [objectPath(commit, 'plan'), 'x'],
  ['summary', 'x'],
  ['config\x1b[31m', 'x'],
])('S5: %j is no name of a file in a bundle', async (name, content) => {
  const { code, details } = await refusal(bundleOf(filesWith({ [name]: content })));
  expect([code, details.found]).toEqual(['CORRUPT_BUNDLE', JSON.stringify(name)]);
});

const ref = refPath('test/ref');
test.each<[string, Record<string, string | Buffer | undefined>, string]>([
  ['a repository that machines refuse', { config: '[core]\nrepo_version=1\nmode=bare\n' }, 'bare'],
  ['one of a later version', { config: '[core]\nrepo_version=2\nmode=archive\n' }, '=2'],
  ['no config', { config: undefined }, 'no such file'],
  ['a config without end', { config: '#'.repeat(70_000) }, '70000 bytes'],
  ['no ref', { [ref]: undefined }, 'none'],
  ['two refs', { 'refs/heads/z': `${commit}\n` }, 'refs/heads/z'],
  ['a ref that leads elsewhere', { [ref]: undefined, 'refs/heads/../../x': commit }, '../../x'],
  ['a ref without a commit', { [ref]: 'master\n' }, '"master\\n"'],
  ['no list', { [index]: undefined }, 'no such file'],
  ['a list that is none', { [index]: 'xx' }, '"xx"'],
  ['a list of other sizes', { [index]: indexOf({ [nothing]: 6 }) }, '5 bytes'],
  ['a list of what is not there', { [index]: indexOf({ [nothing]: 5, [other]: 9 }) }, 'no such'],
  ['a delta that is not listed', { [deltaPath({ from: other, to: commit })]: 'x' }, 'none'],
  ['no delta', { [full]: undefined, [index]: indexOf({}) }, 'none'],
])('S5: a bundle with %s is refused', async (_, changes, found) => {
  const { code, details } = await refusal(bundleOf(filesWith(changes)));
  expect(code).toBe('CORRUPT_BUNDLE');
  expect(details.found).toContain(found);
  expect(details.where).toContain('test.bundle');
  expect(details.remedy).toContain('pinectl bundle create');
});

test('one without a delta is of no use, and one without its commit is told so', async () => {
  const empty = await refusal(bundleOf(filesWith({ [full]: undefined })));
  expect(empty.message).toContain('of no use');
  const without = await refusal(bundleOf(filesWith({ [objectPath(commit, 'commit')]: undefined })));
  expect(without.code).toBe('CORRUPT_BUNDLE');
  expect(without.message).toBe('the bundle does not have its commit');
  expect(without.details.expected).toBe(objectPath(commit, 'commit'));
  expect(without.toText()).not.toMatch(/remote|fsck/);
});

test('a later version needs a newer pinectl, and damage does not', async () => {
  for (const mark of ['pine-bundle 2\n', 'pine-bundle 10\n', 'pine-bundle 2\nsigned by x\n']) {
    const later = await refusal(bundleOf(filesWith({ 'what/is/new': 'x' }), mark));
    expect(later.code).toBe('CORRUPT_BUNDLE');
    expect(later.message).toContain('later version');
    expect(later.details.remedy).toContain('newer pinectl');
  }
  for (const mark of ['pine-bundle 0\n', 'pine-bundle x\n', 'pine-bundle 1\n\n', '']) {
    const damaged = await refusal(bundleOf(filesWith(), mark));
    expect(damaged.details.remedy).toContain('copy it again');
  }
});

test('a bundle for another ref is told as that', async () => {
  const { remote } = await openBundleBytes(bundleOf(filesWith()));
  expect(await remote.resolveRef('test/ref')).toBe(commit);
  const error = await remote.resolveRef('test/web').catch((each: unknown) => each);
  if (!(error instanceof PineError)) throw error;
  expect(error.code).toBe('NOT_FOUND_REMOTE_REF');
  expect(error.details.expected).toContain('test/web');
  expect(error.details.found).toContain('test/ref');
  expect(error.details.where).toBe('test.bundle');
});

test('each byte that is read of a delta counts once', async () => {
  const { remote } = await openBundleBytes(bundleOf(filesWith()));
  expect(remote.received).toBe(0);
  await remote.checkMode();
  const before = remote.received;
  expect(before).toBeGreaterThan(30);
  for (let round = 0; round < 2; round++) {
    const delta = remote.openDelta({ from: nothing, to: commit }, 100);
    await delta.read(0, 2);
    await delta.read(1, 3);
    await delta.read(0, 1);
  }
  expect(remote.received).toBe(before + 4);
});
