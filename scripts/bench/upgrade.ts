import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleModules, writeModules } from '../build/bundle.ts';
import { makeOverlay } from '../build/overlay.ts';
import { buildRoot, type RootOptions } from '../root/build-root.ts';
import { projectFolder, sharedAlpine } from '../root/programs.ts';
import { CountingServer } from './counting-server.ts';
import { CannotMeasure, type Measurement } from './measurement.ts';
import { pinectl } from './pinectl.ts';
import { compare, type Job, runProgram } from './timed.ts';

const ref = 'alpine/x86_64/server';
const layout = join(projectFolder, 'layouts/vm-small.cfg');

/** An upgrade of a whole server from v1 to v2, on a disk image file, over HTTP on loopback. */
export const measure: Measurement = async ({ folder, runs }) => {
  const release = await buildRelease(folder);
  const server = await CountingServer.start(release.repo);
  const [config, state, disk] = [
    join(folder, 'etc-pine'),
    join(folder, 'state'),
    join(folder, 'disk.img'),
  ];
  mkdirSync(join(config, 'keys'), { recursive: true });
  copyFileSync(`${release.key}.pub`, join(config, 'keys/release.pub'));
  writeFileSync(join(config, 'pinectl.toml'), `remote = "${server.url}"\nref = "${ref}"\n`);
  const [deltas, hidden] = [join(release.repo, 'pine'), join(folder, 'hidden')];
  const upgrade = (name: string, withDelta: boolean): Job => ({
    name,
    async prepare() {
      rmSync(state, { recursive: true, force: true });
      mkdirSync(state);
      if (withDelta !== existsSync(deltas)) {
        renameSync(withDelta ? hidden : deltas, withDelta ? deltas : hidden);
      }
      await runProgram(['cp', '--sparse=always', release.disk, disk]);
      server.reset();
    },
    command: () => [
      ...([process.execPath, release.program, 'upgrade'] as const),
      ...['--disk', disk, '--state', state, '--config', config],
    ],
    bytes: () => ({ fetched: server.sent }),
  });
  const ours = [upgrade('pinectl upgrade', false), upgrade('pinectl upgrade, delta', true)];
  try {
    const contestants = await compare([...ours, ...stockPull(folder, release, server)], runs);
    return {
      what: 'v1 to v2 (busybox, openssl, apk-tools, ca-certificates), kernel and Node.js included',
      contestants,
      notes: [
        'pinectl writes the other slot, flushes it, reads it back and arms it; ostree only pulls the objects that are new',
        'this pinectl is what a server has (npm run build); it has no types to strip',
        'the server is on loopback and in this process: the network costs next to nothing',
      ],
    };
  } finally {
    server.stop();
  }
};

/** `ostree pull` of the same commit, by a client that has the first one. */
function stockPull(folder: string, release: Release, server: CountingServer): Job[] {
  if (!existsSync('/usr/bin/ostree')) return [];
  const repo = join(folder, 'client');
  return [
    {
      name: 'ostree pull',
      async prepare() {
        rmSync(repo, { recursive: true, force: true });
        await runProgram(['ostree', 'init', `--repo=${repo}`, '--mode=archive']);
        await runProgram(['ostree', 'pull-local', `--repo=${repo}`, release.repo, release.v1]);
        const unsigned = '--no-gpg-verify';
        await runProgram(['ostree', 'remote', 'add', `--repo=${repo}`, unsigned, 'r', server.url]);
        server.reset();
      },
      command: () => ['ostree', 'pull', `--repo=${repo}`, 'r', ref],
      bytes: () => ({ fetched: server.sent }),
    },
  ];
}

interface Release {
  readonly repo: string;
  readonly key: string;
  /** pinectl as a server has it. */
  readonly program: string;
  /** A disk with v1 in slot a. */
  readonly disk: string;
  /** The commit of v1. The ref names v2. */
  readonly v1: string;
}

/** What a build host does for a release; not measured. */
async function buildRelease(folder: string): Promise<Release> {
  if (process.getuid?.() !== 0) throw new CannotMeasure('making the roots needs root');
  if (!existsSync(sharedAlpine)) throw new CannotMeasure(`${sharedAlpine} is missing`);
  const [repo, key, disk] = [join(folder, 'repo'), join(folder, 'release'), join(folder, 'v1.img')];
  const [program, overlay] = [join(folder, 'pinectl.mjs'), join(folder, 'overlay.tar.gz')];
  const modules = await bundleModules(projectFolder);
  writeModules(folder, modules);
  writeFileSync(overlay, makeOverlay(projectFolder, modules));
  await runProgram(pinectl('init', '--repo', repo));
  await runProgram(pinectl('keys', 'generate', '-o', key));
  const commit = async (base: 'v1' | 'v2') => {
    const root = join(folder, base);
    const options: RootOptions = { base, kernel: 'cloud', node: 'npm', overlay };
    await buildRoot(root, options);
    await runProgram(
      pinectl(
        ...['commit', '--repo', repo, '--ref', ref, '--tree', root, '--bootable'],
        ...['--layout', layout, '--sign-key', `${key}.secret`, '--subject', base],
      ),
    );
    rmSync(root, { recursive: true });
  };
  await commit('v1');
  const { output } = await runProgram(['cat', join(repo, 'refs/heads', ref)]);
  await runProgram(
    pinectl(...['image', '--repo', repo, '--ref', ref, '--layout', layout, '-o', disk]),
  );
  await commit('v2');
  const generate = ['delta', 'generate', '--repo', repo, '--to', ref];
  await runProgram(pinectl(...generate, '--sign-key', `${key}.secret`));
  return { repo, key, program, disk, v1: output.trim() };
}
