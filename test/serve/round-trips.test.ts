import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { makePlanAgain } from '../../src/build/remake-plan.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { updateSummary } from '../../src/build/update-summary.ts';
import { openSource } from '../../src/remote/open-source.ts';
import { pull } from '../../src/remote/pull/pull.ts';
import { checkOut } from '../../src/repo/checkout.ts';
import { checkRepository } from '../../src/repo/fsck.ts';
import { Repository } from '../../src/repo/repository.ts';
import { Pinectl } from '../cli/support/pinectl.ts';
import { makeOddTree } from '../repo/support/odd-tree.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { missing } from '../support/requirements.ts';
import { describeDirectory } from '../support/scan-directory.ts';

const needed = missing('ostree', 'nginx', 'root', 'xattr', 'squashfs');
const ref = 'test/odd';
// Attributes without a value are not part of a commit.
const content = (root: string) =>
  describeDirectory(root).map((line) => line.replace(/ ?(user\.zero=)?$/, ''));

describe.skipIf(needed !== undefined)('over HTTP, from nginx as docs/serving.md sets it up', () => {
  const folder = temporaryFolder();
  const tree = join(folder, 'tree');
  const served = { ours: join(folder, 'ours'), stock: join(folder, 'stock') };
  let nginx: { ours: Nginx; stock: Nginx } | undefined;

  beforeAll(async () => {
    makeOddTree(tree, 300);
    // What the stock checkout gets wrong by itself: it leaks a default ACL onto children.
    rmSync(join(tree, 'default-acl'), { recursive: true });
    nginx = {
      ours: await startNginx(served.ours, join(folder, 'nginx-ours')),
      stock: await startNginx(served.stock, join(folder, 'nginx-stock')),
    };
  });
  afterAll(async () => {
    await nginx?.ours.stop();
    await nginx?.stock.stop();
  });

  test('our commit, `ostree pull` with our summary, `ostree checkout`', async () => {
    const repository = await Repository.init(join(served.ours, 'repo'), quick);
    const { tree: source } = await scanFolder(tree);
    const { commit } = await commitTree(repository, source, { ref, timestamp: 7, image: false });
    await updateSummary(repository, [], 1_700_000_000);
    const client = stockRepository(folder, 'client');
    ostree(client, 'remote', 'add', '--no-gpg-verify', 'pine', `${nginx?.ours.url}/repo`);
    expect(ostree(client, 'remote', 'refs', 'pine')).toBe(`pine:${ref}\n`);
    ostree(client, 'pull', 'pine', ref);
    expect(ostree(client, 'rev-parse', `pine:${ref}`).trim()).toBe(commit);
    ostree(client, 'fsck');
    ostree(client, 'checkout', `pine:${ref}`, join(folder, 'by-ostree'));
    expect(content(join(folder, 'by-ostree'))).toEqual(content(tree));
  });

  test('a commit of ostree, our pull, our checkout', async () => {
    mkdirSync(served.stock);
    const stock = stockRepository(served.stock, 'repo');
    ostree(stock, 'commit', '--fsync=false', `--branch=${ref}`, tree);
    ostree(stock, 'summary', '--update');
    const repository = await Repository.init(join(folder, 'mirror'), quick);
    const source = await openSource(`${nginx?.stock.url}/repo`);
    const result = await pull(repository, source, {
      names: [],
      remoteName: undefined,
      depth: -1,
      makePlan: makePlanAgain,
    });
    await source.close();
    const commit = ostree(stock, 'rev-parse', ref).trim();
    expect(result.refs).toEqual({ [ref]: commit });
    expect((await checkRepository(repository)).problems).toEqual([]);
    ostree(repository.path, 'fsck');
    await checkOut(repository, commit, join(folder, 'by-pine'));
    expect(content(join(folder, 'by-pine'))).toEqual(content(tree));
  });

  test('a commit of ostree, our pull, our image: unsquashfs gets the tree that ostree committed', async () => {
    const stock = join(served.stock, 'repo');
    rmSync(join(tree, 'with-acl'));
    const committed = ostree(stock, 'commit', '--fsync=false', '--branch=test/image', tree).trim();
    ostree(stock, 'summary', '--update');
    const repo = join(folder, 'imaging');
    const pinectl = new Pinectl(repo, folder);
    pinectl.run('init');
    // As a user does it; nginx is another process.
    const url = `${nginx?.stock.url}/repo`;
    expect(pinectl.json('pull', url, 'test/image').refs).toEqual({
      'origin:test/image': committed,
    });
    pinectl.run('adopt', 'origin:test/image', '--ref', 'test/image');
    pinectl.run('image', '--ref', 'test/image', '--format', 'squashfs', '-o', 'image.squashfs');
    const unpacked = join(folder, 'unpacked');
    execFileSync(
      'unsquashfs',
      ['-quiet', '-no-progress', '-xattrs', '-d', unpacked, join(folder, 'image.squashfs')],
      { stdio: 'ignore' },
    );
    const again = ostree(stock, 'commit', '--fsync=false', '--branch=test/again', unpacked).trim();
    const shown = (commit: string) =>
      /ContentChecksum: .*/.exec(ostree(stock, 'show', commit))?.[0];
    expect(shown(again)).toBe(shown(committed));
  });

  test('what nginx says of caching, ranges and what is hidden', async () => {
    const url = `${nginx?.ours.url}/repo`;
    const { commit } = await headOf(join(served.ours, 'repo'));
    const object = await fetch(`${url}/objects/${commit.slice(0, 2)}/${commit.slice(2)}.commit`, {
      headers: { range: 'bytes=4-' },
    });
    expect(object.status).toBe(206);
    expect(object.headers.get('cache-control')).toContain('immutable');
    const named = await fetch(`${url}/refs/heads/${ref}`);
    expect(named.headers.get('cache-control')).toBe('no-cache');
    expect(named.headers.get('etag')).not.toBe(null);
    expect(existsSync(join(served.ours, 'repo/state'))).toBe(true);
    expect((await fetch(`${url}/state/`)).status).toBe(404);
  });

  test('the same from `pinectl serve`', async () => {
    const { createStaticServer } = await import('../../src/serve/static-server.ts');
    const server = createStaticServer(join(served.ours, 'repo'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const client = stockRepository(folder, 'client-of-serve');
    const url = `http://127.0.0.1:${port}`;
    ostree(client, 'remote', 'add', '--no-gpg-verify', 'pine', url);
    // Not in this process: the server answers from it.
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    await promisify(execFile)('ostree', [`--repo=${client}`, 'pull', 'pine', ref]);
    expect(spawnSync('ostree', [`--repo=${client}`, 'fsck']).status).toBe(0);
    server.close();
    server.closeAllConnections();
  });
});

async function headOf(path: string) {
  const { readRef } = await import('../../src/repo/refs.ts');
  return { commit: (await readRef(await Repository.open(path), ref)) ?? '' };
}
