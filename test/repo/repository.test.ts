import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { decodeCommit, encodeCommit } from '../../src/repo/commit-object.ts';
import { promisedImage, promisedPlan } from '../../src/repo/pine-metadata.ts';
import { deleteRef, listRefs, readRef, writeRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import { resolveCommit } from '../../src/repo/resolve.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { smallRepository, smallTree, timestamp } from './support/small-commit.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();

describe('init and open', () => {
  test('a repository is made once, and again without harm', async () => {
    const path = join(folder, 'deep', 'new');
    await Repository.init(path);
    const before = readFileSync(join(path, 'config'), 'utf8');
    await Repository.init(path);
    expect(readFileSync(join(path, 'config'), 'utf8')).toBe(before);
    expect(before).toBe('[core]\nrepo_version=1\nmode=archive-z2\n');
    expect(readdirSync(join(path, 'tmp'))).toEqual([]);
  });

  test('init was cut: it can be run again (S7)', async () => {
    const path = join(folder, 'cut');
    mkdirSync(join(path, 'refs'), { recursive: true });
    mkdirSync(join(path, 'tmp'));
    writeFileSync(join(path, 'tmp', 'config'), '[core]\nrepo');
    await Repository.init(path);
    await Repository.open(path);
  });

  test('a folder that holds something else is left alone', async () => {
    const path = join(folder, 'used');
    mkdirSync(path);
    writeFileSync(join(path, 'letter'), '');
    await codeOfAsync(() => Repository.init(path), 'STATE_FOLDER_IN_USE');
    expect(readdirSync(path)).toEqual(['letter']);
  });

  test.each([
    ['bare', '[core]\nrepo_version=1\nmode=bare\n', 'INPUT_REPOSITORY_MODE'],
    ['another section', '[other]\nmode=archive\n[core]\nrepo_version=1\n', 'INPUT_REPOSITORY_MODE'],
    ['version 2', '[core]\nrepo_version=2\nmode=archive-z2\n', 'INPUT_REPOSITORY_VERSION'],
    ['no version', '[core]\nmode=archive-z2\n', 'INPUT_REPOSITORY_VERSION'],
    ['empty', '', 'INPUT_REPOSITORY_VERSION'],
  ] as const)('config: %s is refused', async (name, config, code) => {
    const path = join(folder, `config-${name}`);
    mkdirSync(join(path, 'objects'), { recursive: true });
    writeFileSync(join(path, 'config'), config);
    await codeOfAsync(() => Repository.open(path), code);
  });

  test('nothing there', async () => {
    await codeOfAsync(() => Repository.open(join(folder, 'nothing')), 'NOT_FOUND_REPOSITORY');
  });
});

describe('commits and their names', () => {
  test('a commit is decoded without loss, and names its image and plan', async () => {
    const { repository, commit } = await smallRepository(join(folder, 'lossless'), {
      metadata: [['version', { type: 's', value: '1' }]],
      subject: 'Subject',
      body: 'Body',
    });
    const bytes = await repository.readMetadataObject(commit, 'commit');
    const decoded = decodeCommit(bytes, 'test');
    expect(encodeCommit(decoded)).toEqual(bytes);
    const keys = decoded.metadata.map(([key]) => key);
    expect(keys).toEqual(['version', 'pine.image.1', 'pine.plan.1', 'ostree.ref-binding']);
    const plan = readFileSync(repository.objectFile(commit, 'plan'));
    expect(promisedPlan(decoded)?.size).toBe(plan.length);
    expect(promisedImage(decoded)?.size).toBeGreaterThan(100_000);
  });

  test('by ref, checksum, beginning and ^', async () => {
    const { repository, commit } = await smallRepository(join(folder, 'names'));
    const options = { ref: 'test/small', timestamp, image: false };
    const second = await commitTree(repository, smallTree('changed'), options);
    expect(second.parent).toBe(commit);
    expect(await resolveCommit(repository, 'test/small')).toBe(second.commit);
    expect(await resolveCommit(repository, 'test/small^')).toBe(commit);
    expect(await resolveCommit(repository, commit)).toBe(commit);
    expect(await resolveCommit(repository, commit.slice(0, 12))).toBe(commit);
    for (const unknown of ['test/smal', 'test/small^^', '0'.repeat(64), '000000']) {
      await codeOfAsync(() => resolveCommit(repository, unknown), 'NOT_FOUND_COMMIT');
    }
  });
});

describe('refs', () => {
  test('are written, listed and deleted', async () => {
    const { repository, commit } = await smallRepository(join(folder, 'refs'));
    await writeRef(repository, 'test/other', commit);
    mkdirSync(join(repository.path, 'refs/remotes/origin/a'), { recursive: true });
    writeFileSync(join(repository.path, 'refs/remotes/origin/a/b'), `${commit}\n`);
    expect([...(await listRefs(repository)).keys()]).toEqual([
      'test/other',
      'test/small',
      'origin:a/b',
    ]);
    await deleteRef(repository, 'test/other');
    expect(await readRef(repository, 'test/other')).toBeUndefined();
    expect(readdirSync(join(repository.path, 'tmp'))).toEqual([]);
  });

  test.each([
    '../x',
    'a/../../x',
    '/absolute',
    'a//b',
    'a/',
    '.hidden',
    'a/.b',
    '',
    'sp ace',
    'new\nline',
    '-option',
    'f'.repeat(64),
    'a\0b',
    'x'.repeat(300),
  ])('the name %j is refused', async (name) => {
    const { repository, commit } = await smallRepository(join(folder, 'bad-names'));
    await codeOfAsync(() => writeRef(repository, name, commit), 'INPUT_REF_NAME');
    const options = { ref: name, timestamp, image: false };
    await codeOfAsync(() => commitTree(repository, smallTree(), options), 'INPUT_REF_NAME');
    if (!/^[0-9a-f]{64}$/.test(name)) {
      await codeOfAsync(() => readRef(repository, name), 'INPUT_REF_NAME');
    }
  });

  test('one that is part of another, or that is damaged', async () => {
    const { repository, commit } = await smallRepository(join(folder, 'conflict'));
    await codeOfAsync(() => writeRef(repository, 'test', commit), 'INPUT_REF_CONFLICT');
    await codeOfAsync(() => writeRef(repository, 'test/small/x', commit), 'INPUT_REF_CONFLICT');
    for (const damage of ['', 'nonsense\n', `${commit.slice(1)}\n`, commit.toUpperCase()]) {
      writeFileSync(join(repository.path, 'refs/heads/test/small'), damage);
      await codeOfAsync(() => readRef(repository, 'test/small'), 'CORRUPT_REF');
    }
    symlinkSync('loop', join(repository.path, 'refs/heads/loop'));
    await expect(readRef(repository, 'loop')).rejects.toThrow('ELOOP');
  });
});
