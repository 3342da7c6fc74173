import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, run } from './programs.ts';

/** Where Alpine's own archives and packages come from. */
export interface Mirror {
  /** Such as https://dl-cdn.alpinelinux.org/alpine: what comes before `/v3.23/main`. */
  readonly url: string;
  /** A release branch: `v3.23`. */
  readonly branch: string;
  /** A folder of public keys that sign the mirror's index beside Alpine's own. */
  readonly extraKeys?: string;
}

const largestArchive = 64 << 20;

/**
 * Makes a root from a mirror: the minirootfs's own apk installs packages into an empty folder.
 *
 * The minirootfs is checked against the SHA-256 that the mirror gives beside it (which says that it
 * arrived whole; that it is Alpine's rests on HTTPS). From there on apk checks: the index and each
 * package must be signed by a key of the minirootfs. Needs root, for chroot and owners.
 */
export async function rootFromMirror(
  root: string,
  mirror: Mirror,
  packages: readonly string[],
): Promise<void> {
  const archive = await minirootfs(mirror);
  const tool = `${root}.apk`;
  rmSync(tool, { recursive: true, force: true });
  mkdirSync(join(tool, 'newroot/etc/apk'), { recursive: true });
  try {
    await run('tar', ['-xzf', archive, '-C', tool, '--numeric-owner']);
    if (mirror.extraKeys !== undefined) {
      for (const key of globSync('*.rsa.pub', { cwd: mirror.extraKeys })) {
        await run('cp', [join(mirror.extraKeys, key), join(tool, 'etc/apk/keys')]);
      }
    }
    await run('cp', ['-a', join(tool, 'etc/apk/keys'), join(tool, 'newroot/etc/apk/keys')]);
    if (existsSync('/etc/resolv.conf'))
      await run('cp', ['-L', '/etc/resolv.conf', join(tool, 'etc')]);
    for (const folder of ['newroot/dev', 'newroot/proc']) mkdirSync(join(tool, folder));
    await run('mknod', ['-m', '666', join(tool, 'newroot/dev/null'), 'c', '1', '3']);
    const repositories = ['main', 'community'].map(
      (name) => `${mirror.url}/${mirror.branch}/${name}`,
    );
    // apk mounts /proc: in a mount namespace of its own, so that it is gone however apk ends.
    await run('unshare', [
      ...['--mount', '--propagation', 'private', 'chroot', tool],
      ...[
        '/sbin/apk',
        '--quiet',
        '--root',
        '/newroot',
        '--initdb',
        '--arch',
        'x86_64',
        '--no-cache',
      ],
      ...['--repositories-file', '/dev/null', ...repositories.flatMap((url) => ['-X', url])],
      ...['add', ...packages],
    ]);
    writeFileSync(join(tool, 'newroot/etc/apk/repositories'), `${repositories.join('\n')}\n`);
    rmSync(join(tool, 'newroot/dev/null'));
    rmSync(root, { recursive: true, force: true });
    renameSync(join(tool, 'newroot'), root);
  } finally {
    rmSync(tool, { recursive: true, force: true });
  }
}

/** The newest minirootfs of a branch, checked, in the cache. */
export async function minirootfs(mirror: Mirror): Promise<string> {
  const folder = `${mirror.url}/${mirror.branch}/releases/x86_64`;
  const list = (await download(`${folder}/latest-releases.yaml`, 1 << 20)).toString();
  const name = /alpine-minirootfs-[0-9.]+-x86_64\.tar\.gz/.exec(list)?.[0];
  if (name === undefined) throw new Error(`${folder}/latest-releases.yaml names no minirootfs`);
  const expected = (await download(`${folder}/${name}.sha256`, 1024)).toString().slice(0, 64);
  const kept = join(cacheFolder, 'alpine', `${expected}-${name}`);
  if (existsSync(kept)) return kept;
  const bytes = await download(`${folder}/${name}`, largestArchive);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== expected) {
    throw new Error(`${folder}/${name}: expected SHA-256 ${expected}, found ${found}`);
  }
  mkdirSync(join(cacheFolder, 'alpine'), { recursive: true });
  writeFileSync(`${kept}.new`, bytes);
  renameSync(`${kept}.new`, kept);
  return kept;
}

async function download(url: string, limit: number): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(300_000) }).catch((error) => {
    const { cause = error } = error;
    throw new Error(
      `${url} can't be fetched: ${cause.code ?? cause.message}. Roots are made of Alpine's archives: connect this machine to the network, and try again`,
    );
  });
  if (!response.ok || response.body === null) throw new Error(`${url}: ${response.status}`);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    if (length > limit) throw new Error(`${url}: more than ${limit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
