import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mirror, minirootfs } from './mirror.ts';
import { run, sharedAlpine } from './programs.ts';

/** What a server needs to boot, beside the minirootfs. */
const packages = ['alpine-base', 'e2fsprogs'];
/** The same with all that they depend on, for packages that come as files, without an index. */
const files = `alpine-base alpine-conf alpine-release busybox-mdev-openrc busybox-openrc busybox-suid
  e2fsprogs e2fsprogs-libs ifupdown-ng libblkid libcap2 libcom_err libuuid mdev-conf openrc`;
/** Older versions than those of the minirootfs: with them the root is the state before an update. */
const older =
  'apk-tools busybox busybox-binsh ca-certificates-bundle libcrypto3 libssl3 ssl_client';

/**
 * Makes a small root without being root: the minirootfs's own apk is run by its own loader. All
 * files belong to the caller, and no install script runs: `pinectl commit --owner-uid 0` gives them
 * to root again, and what needs users of its own (sshd, chronyd) is left out.
 */
export async function rootWithoutPrivileges(
  root: string,
  base: 'v1' | 'v2' | Mirror,
  more: readonly string[] = [],
): Promise<void> {
  const shared = typeof base === 'string';
  const archive = shared
    ? join(sharedAlpine, 'alpine-minirootfs-3.19.4-x86_64.tar.gz')
    : await minirootfs(base);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await run('tar', ['-xzf', archive, '-C', root]);
  const wanted = shared
    ? filesOf(`${files} ${base === 'v1' ? older : ''}`)
    : [...packages, ...more];
  const repositories = shared
    ? []
    : ['main', 'community'].map((name) => `${base.url}/${base.branch}/${name}`);
  const loader = join(root, 'lib/ld-musl-x86_64.so.1');
  const libraries = `${join(root, 'lib')}:${join(root, 'usr/lib')}`;
  const complaint = await run(loader, [
    ...['--library-path', libraries, join(root, 'sbin/apk'), '--quiet', '--root', root],
    ...['--no-scripts', '--no-chown', '--no-cache', '--repositories-file', '/dev/null'],
    ...repositories.flatMap((url) => ['-X', url]),
    ...(shared ? ['--no-network'] : []),
    ...['add', ...wanted],
  ]).catch((error: Error) => error.message);
  // apk counts each directory that it could not give to root as an error: what matters is there or not.
  for (const path of ['sbin/openrc', 'sbin/e2fsck']) {
    if (!existsSync(join(root, path)) && !existsSync(join(root, 'usr', path))) {
      throw new Error(`apk installed no ${path}: ${complaint}`);
    }
  }
  // bbsuid may be run but not read, and only root reads it all the same.
  await run('chmod', ['-R', 'u+r', root]);
  if (!shared) writeFileSync(join(root, 'etc/apk/repositories'), `${repositories.join('\n')}\n`);
}

function filesOf(names: string): string[] {
  const folder = join(sharedAlpine, 'apks/x86_64');
  return names.split(/\s+/).flatMap((name) => {
    if (name === '') return [];
    const [file, ...others] = globSync(`${name}-[0-9]*.apk`, { cwd: folder });
    if (file === undefined || others.length > 0) throw new Error(`${folder}: not one ${name}`);
    return [join(folder, file)];
  });
}
