import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { debianTree } from '../../scripts/bench/debian-tree.ts';
import { CannotMeasure } from '../../scripts/bench/measurement.ts';
import { dropAcls } from '../../src/build/acl.ts';
import { commitTree } from '../../src/build/commit-tree.ts';
import { remakePlan } from '../../src/build/remake-plan.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { openSources } from '../../src/build/sources/open-sources.ts';
import { checkOut } from '../../src/repo/checkout.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { listTree } from '../../src/repo/list-tree.ts';
import { Repository } from '../../src/repo/repository.ts';
import { makeOddTree } from '../repo/support/odd-tree.ts';
import { metadataArgument, ostree, stockRepository } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { alpineFolder, missing } from '../support/requirements.ts';
import { describeDirectory } from '../support/scan-directory.ts';

const timestamp = 1_700_000_000;

describe.skipIf(missing('ostree', 'root', 'xattr') !== undefined)('an odd tree', () => {
  const folder = temporaryFolder();
  const source = join(folder, 'source');
  const stock = join(folder, 'stock');
  const ours = join(folder, 'ours');
  const stockCommit = () => ostree(stock, 'rev-parse', 'test/odd').trim();

  test('has the same commit checksum as `ostree commit`, with parent and metadata', async () => {
    makeOddTree(source);
    stockRepository(folder, 'stock');
    const repository = await Repository.init(ours, quick);
    const metadata = [
      ['version', { type: 's', value: "1.2 'quoted' \\ 😀" }],
      ['another', { type: 's', value: '' }],
    ] as const;
    let parent: string | undefined;
    for (const subject of ['First', 'Second, with a parent']) {
      const { tree } = await scanFolder(source);
      const body = 'Two lines\nof body';
      const options = { ref: 'test/odd', timestamp, subject, body, metadata, image: false };
      const result = await commitTree(repository, tree, options);
      expect(result.parent).toBe(parent);
      parent = result.commit;
      ostree(
        stock,
        'commit',
        '--fsync=false',
        '--branch=test/odd',
        `--timestamp=@${timestamp}`,
        `--subject=${subject}`,
        `--body=${body}`,
        ...metadata.map(([key, { value }]) => `--add-metadata-string=${key}=${value}`),
        source,
      );
      expect(result.commit).toBe(stockCommit());
    }
  });

  test('ours is accepted by ostree: fsck, ls, checkout, pull-local', () => {
    ostree(ours, 'fsck');
    const all = ['-R', '-C', '-X', 'test/odd'] as const;
    expect(ostree(ours, 'ls', ...all)).toBe(ostree(stock, 'ls', ...all));
    const checkout = join(folder, 'checked-out-by-ostree');
    ostree(ours, 'checkout', 'test/odd', checkout);
    expect(existsSync(join(checkout, 'names', '😀'))).toBe(true);
    const puller = stockRepository(folder, 'puller');
    ostree(puller, 'pull-local', ours, 'test/odd');
    ostree(puller, 'fsck');
    expect(ostree(puller, 'rev-parse', 'test/odd').trim()).toBe(stockCommit());
  });

  test('theirs is accepted by us: fsck, ls, checkout without a difference', async () => {
    const repository = await Repository.open(stock, quick);
    const report = await checkRepository(repository);
    expect(report.problems).toEqual([]);
    expect(report.commits).toBe(2);
    const paths: string[] = [];
    for await (const entry of listTree(repository, stockCommit(), '/', 'all')) {
      paths.push(entry.path);
    }
    const lines = ostree(stock, 'ls', '-R', '--nul-filenames-only', 'test/odd');
    expect(paths).toEqual(lines.split('\0').slice(0, -1));
    const checkout = join(folder, 'checked-out-by-us');
    await checkOut(repository, stockCommit(), checkout);
    // Attributes without a value are not part of a commit.
    const without = (lines: string[]) => lines.map((line) => line.replace(/ ?(user\.zero=)?$/, ''));
    expect(without(describeDirectory(checkout))).toEqual(without(describeDirectory(source)));
  });

  test('is refused as an image because of its ACLs, and is one without them', async () => {
    const repository = await Repository.open(ours, quick);
    const options = { ref: 'test/image', timestamp, image: true };
    const before = ostree(ours, 'refs');
    const { tree } = await scanFolder(source);
    await expect(commitTree(repository, tree, options)).rejects.toMatchObject({
      code: 'INPUT_POSIX_ACL',
    });
    expect(ostree(ours, 'refs')).toBe(before);
    expect(dropAcls(tree).sort()).toEqual(['/default-acl', '/with-acl']);
    // rwx in the mode was the mask; the group itself had r-x.
    expect(tree.find('/with-acl')?.mode).toBe(0o100755);
    const { image } = await commitTree(repository, tree, options);
    expect(image?.size).toBeGreaterThan(3_000_000);
    ostree(ours, 'fsck');
  });
});

describe.skipIf(missing('ostree', 'root', 'xattr', 'alpine') !== undefined)('Alpine', () => {
  const folder = temporaryFolder();

  test('v1 and v2 have the same checksums as `ostree commit`, images and plans promised', async () => {
    execFileSync(join(alpineFolder, 'make-root.sh'), [join(folder, 'roots')], { stdio: 'ignore' });
    const stock = stockRepository(folder, 'stock');
    const repository = await Repository.init(join(folder, 'ours'), quick);
    for (const version of ['v1', 'v2']) {
      const root = join(folder, 'roots', version);
      const { tree, skipped } = await scanFolder(root);
      const options = { ref: 'alpine/test', timestamp, subject: version, image: true };
      const result = await commitTree(repository, tree, options);
      const { metadata } = await repository.readCommit(result.commit);
      const promised = metadata.filter(([key]) => key !== 'ostree.ref-binding');
      expect(promised.map(([key]) => key)).toEqual(['pine.image.1', 'pine.plan.1']);
      // The stock tool refuses devices.
      for (const path of skipped) rmSync(join(root, path));
      ostree(
        stock,
        'commit',
        '--fsync=false',
        '--branch=alpine/test',
        `--timestamp=@${timestamp}`,
        `--subject=${version}`,
        ...promised.map(([key, value]) => metadataArgument(key, value)),
        root,
      );
      expect(result.commit).toBe(ostree(stock, 'rev-parse', 'alpine/test').trim());
      // From the objects alone: throws when a single byte of the plan is another.
      await remakePlan(repository, result.commit);
    }
    ostree(join(folder, 'ours'), 'fsck');
    ostree(join(folder, 'ours'), 'prune', '--refs-only');
    expect((await checkRepository(repository)).problems).toEqual([]);
  });

  test.each(
    ['3.19.4', '3.20.3'].flatMap((version) =>
      ['x86_64', 'aarch64'].map((machine) => `${version}-${machine}`),
    ),
  )('the mini root file system %s, as it is downloaded and unpacked by GNU tar', async (name) => {
    const archive = join(alpineFolder, `alpine-minirootfs-${name}.tar.gz`);
    const root = join(folder, `minirootfs-${name}`);
    mkdirSync(root);
    execFileSync('tar', ['-C', root, '--numeric-owner', '-xpf', archive]);
    const stock = stockRepository(folder, `stock-${name}`);
    const repository = await Repository.init(join(folder, `ours-${name}`), quick);
    const words = ['--fsync=false', `--timestamp=@${timestamp}`];
    const options = { ref: 'x', timestamp, image: false, parent: 'none' };
    ostree(stock, 'commit', ...words, '-b', 'x', `--tree=dir=${root}`);
    const expected = ostree(stock, 'rev-parse', 'x').trim();
    expect((await commitTree(repository, (await scanFolder(root)).tree, options)).commit).toBe(
      expected,
    );
    const opened = await openSources(repository, [{ kind: 'tar', name: archive }], {});
    const { commit } = await commitTree(repository, opened.tree, options).finally(opened.close);
    expect(commit).toBe(expected);
    ostree(repository.path, 'fsck');
  });
});

describe.skipIf(missing('ostree', 'root', 'xattr', 'debian') !== undefined)('Debian', () => {
  const folder = temporaryFolder();

  test('a tree of 340 MB in 7,000 files has the checksum of `ostree commit`, and comes out of it again', async ({
    skip,
  }) => {
    const root = await debianTree().catch((error: unknown) => {
      if (error instanceof CannotMeasure) return skip(error.message);
      throw error;
    });
    const stock = stockRepository(folder, 'stock');
    const repository = await Repository.init(join(folder, 'ours'), quick);
    const { tree, skipped } = await scanFolder(root);
    expect(skipped).toEqual([]);
    const options = { ref: 'debian', timestamp, image: false };
    const { commit, statistics } = await commitTree(repository, tree, options);
    expect(statistics.contentTotal).toBeGreaterThan(6000);
    expect(statistics.contentBytesTotal).toBeGreaterThan(300e6);
    const words = ['--fsync=false', `--timestamp=@${timestamp}`, '-b', 'debian'];
    ostree(stock, 'commit', ...words, root);
    expect(commit).toBe(ostree(stock, 'rev-parse', 'debian').trim());
    ostree(repository.path, 'fsck');
    const report = await checkRepository(await Repository.open(stock, quick));
    expect(report.problems).toEqual([]);
    const checkout = join(folder, 'checked-out');
    await checkOut(repository, commit, checkout);
    expect(describeDirectory(checkout)).toEqual(describeDirectory(root));
  }, 300_000);
});
