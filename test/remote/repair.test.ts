import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { remakePlan } from '../../src/build/remake-plan.ts';
import { FolderSource } from '../../src/remote/folder-source.ts';
import { repairRepository } from '../../src/remote/repair.ts';
import { Repository } from '../../src/repo/repository.ts';
import { quick } from '../repo/support/quick.ts';
import { smallRepository, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';

const folder = temporaryFolder();
const whole = join(folder, 'whole');
let count = 0;

beforeAll(async () => {
  const { repository } = await smallRepository(whole);
  const options = { ref: 'test/small', timestamp: timestamp + 1, image: true };
  await commitTree(repository, smallTree('second'), options);
});

async function copy(): Promise<Repository> {
  const path = join(folder, `copy-${count++}`);
  cpSync(whole, path, { recursive: true });
  return Repository.open(path, quick);
}

async function files(repository: Repository): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { checksum, kind } of repository.listObjects()) {
    const bytes = readFileSync(repository.objectFile(checksum, kind));
    found.set(`${checksum}.${kind}`, bytes.toString('base64'));
  }
  return found;
}

test.each(['missing', 'altered'])(
  'every object %s: all are put back, bytes and all',
  async (damage) => {
    const repository = await copy();
    const before = await files(repository);
    for await (const { checksum, kind } of repository.listObjects()) {
      const path = repository.objectFile(checksum, kind);
      const bytes = readFileSync(path);
      const middle = Math.floor(bytes.length / 2);
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      if (damage === 'missing') rmSync(path);
      else writeFileSync(path, bytes);
    }
    // What nothing names is not known to be missing: only what the ref leads to.
    const source = new FolderSource(whole);
    const { report, repaired } = await repairRepository(repository, { source, remakePlan });
    expect(report.problems).toEqual([]);
    expect(repaired.length).toBeGreaterThan(8);
    const after = await files(repository);
    for (const [name, bytes] of after) expect(bytes).toBe(before.get(name));
    if (damage === 'altered') expect(after.size).toBe(before.size);
  },
);

test('without a remote only plans come back', async () => {
  const repository = await copy();
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind === 'plan') rmSync(repository.objectFile(checksum, kind));
  }
  const { report, repaired } = await repairRepository(repository, {
    source: undefined,
    remakePlan,
  });
  expect(report.problems).toEqual([]);
  expect(repaired).toHaveLength(2);
});

test('what the remote has not got, or has damaged too, stays a problem and does not loop', async () => {
  const [repository, remote] = [await copy(), await copy()];
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind !== 'filez' && kind !== 'dirmeta') continue;
    rmSync(repository.objectFile(checksum, kind));
    if (kind === 'filez') writeFileSync(remote.objectFile(checksum, kind), 'damaged');
    else rmSync(remote.objectFile(checksum, kind));
  }
  const before = await files(repository);
  const source = new FolderSource(remote.path);
  const { report, repaired } = await repairRepository(repository, { source, remakePlan });
  expect(repaired).toEqual([]);
  expect(report.problems.length).toBeGreaterThan(3);
  expect(await files(repository)).toEqual(before);
});

test('a remote that is none is an error', async () => {
  const repository = await copy();
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind === 'filez') rmSync(repository.objectFile(checksum, kind));
  }
  const source = new FolderSource(folder);
  await codeOfAsync(
    () => repairRepository(repository, { source, remakePlan }),
    'NOT_FOUND_REMOTE_REPOSITORY',
  );
});
