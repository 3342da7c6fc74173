import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, run } from '../../../scripts/root/programs.ts';
import { makeLoopbackMirror } from './loopback-mirror.ts';
import { pinectl } from './pinectl.ts';
import {
  breakages,
  buildTestRoot,
  changeDefaults,
  diskSize,
  hasSharedAlpine,
  kernelNote,
  serverRoot,
} from './test-root.ts';
import { serveFolder } from './web-server.ts';

const layout = join(projectFolder, 'layouts/vm-small.cfg');

/** The branch of the repository that a kind of server follows. */
export function refOf(name: string): string {
  return `alpine/x86_64/${name}`;
}

/**
 * Builds everything that the machines of the tests need, in `folder`:
 *
 * - `repo`: signed commits. `server` is v2 with v1 as parent; every other ref is a v2 that is broken
 *   in one way (`panic`, `unhealthy`, `hang`, `no-network`, `driverless`), comes from a mirror with gzipped
 *   modules (`mirror`), or has the kernel with the watchdog's driver (`watchdog`, `dead`)
 * - `v1.img`: a disk with v1
 * - `armed-NAME.img`: such a disk after `pinectl upgrade` wrote and armed that ref on it: the next boot
 *   is its trial. Made on the host, which takes seconds where an emulated machine takes minutes
 */
export async function buildRelease(folder: string): Promise<void> {
  const roots = join(folder, 'roots');
  const key = join(folder, 'release');
  mkdirSync(roots, { recursive: true });
  console.log(`e2e: ${kernelNote}`);
  await pinectl('init', '--repo', join(folder, 'repo'));
  await pinectl('keys', 'generate', '-o', key);

  const publicKey = `${key}.pub`;
  const v1 = join(roots, 'v1');
  const v2 = join(roots, 'v2');
  await buildTestRoot(v1, serverRoot('v1'), publicKey);
  await buildTestRoot(v2, serverRoot('v2'), publicKey);
  changeDefaults(v2);

  let time = 1_750_000_000;
  const commit = async (name: string, root: string, subject: string) => {
    time += 3600;
    const started = Date.now();
    await pinectl(
      ...['commit', '--repo', join(folder, 'repo'), '--ref', refOf(name), '--tree', root],
      ...['--bootable', '--layout', layout, '--sign-key', `${key}.secret`],
      ...['--subject', subject, '--timestamp', String(time)],
    );
    console.log(`e2e: commit ${subject} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  };
  const image = async (name: string, out: string) => {
    await pinectl(
      ...['image', '--repo', join(folder, 'repo'), '--ref', refOf(name), '--layout', layout],
      ...['-o', join(folder, out), '--size', diskSize],
    );
  };
  await commit('server', v1, 'v1');
  await image('server', 'v1.img');
  await commit('server', v2, 'v2: security update');
  await arm('server', 'v1.img');
  for (const name of ['panic', 'unhealthy', 'hang', 'no-network', 'driverless'] as const) {
    const root = await copyOf(v2, name);
    breakages[name](root);
    await commit(name, root, `v3: ${name}`);
    rmSync(root, { recursive: true });
  }
  await arm('unhealthy', 'v1.img');
  await arm('hang', 'v1.img', 'tries = 1\ndeadline = 45\n');
  await commitWatchdog();
  if (hasSharedAlpine) await commitMirror();
  rmSync(roots, { recursive: true });

  async function arm(name: string, from: string, trial = ''): Promise<void> {
    const disk = join(folder, `armed-${name}.img`);
    const state = join(folder, 'host-state');
    const config = join(folder, 'host-configuration');
    mkdirSync(state, { recursive: true });
    mkdirSync(join(config, 'keys'), { recursive: true });
    copyFileSync(publicKey, join(config, 'keys/test.pub'));
    writeFileSync(
      join(config, 'pinectl.toml'),
      `remote = "${join(folder, 'repo')}"\nref = "${refOf(name)}"\n[trial]\n${trial}`,
    );
    await run('cp', ['--sparse=always', '--reflink=auto', join(folder, from), disk]);
    await pinectl(...['upgrade', '--disk', disk, '--state', state, '--config', config]);
    rmSync(state, { recursive: true });
    rmSync(config, { recursive: true });
  }

  async function copyOf(root: string, name: string): Promise<string> {
    const copy = join(roots, name);
    await run('cp', ['-a', root, copy]);
    return copy;
  }

  async function commitWatchdog(): Promise<void> {
    const root = join(roots, 'watchdog');
    const options = serverRoot('v1');
    await buildTestRoot(
      root,
      hasSharedAlpine ? { ...options, kernel: 'standard' } : options,
      publicKey,
    );
    await commit('watchdog', root, 'v1 with a driver for the watchdog');
    await image('watchdog', 'watchdog.img');
    breakages.dead(root);
    await commit('dead', root, 'v3: dead');
    rmSync(root, { recursive: true });
    await arm('dead', 'watchdog.img', 'tries = 1\n');
    rmSync(join(folder, 'watchdog.img'));
  }

  async function commitMirror(): Promise<void> {
    const root = join(roots, 'mirror');
    const mirror = await makeLoopbackMirror(join(folder, 'mirror'));
    const web = await serveFolder(mirror.folder);
    try {
      const url = `http://127.0.0.1:${web.port}`;
      const base = { url, branch: mirror.branch, extraKeys: mirror.keys };
      const options = { ...serverRoot('v2'), base, compressModules: true };
      await buildTestRoot(root, options, publicKey);
    } finally {
      await web.close();
      rmSync(mirror.folder, { recursive: true });
    }
    await commit('mirror', root, 'v2 from a mirror, modules gzipped');
    await arm('mirror', 'v1.img');
  }
}
