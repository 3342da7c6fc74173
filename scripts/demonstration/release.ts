import { join } from 'node:path';
import { pinectl } from '../../test/e2e/harness/pinectl.ts';
import {
  breakages,
  buildTestRoot,
  diskSize,
  kernelNote,
  serverRoot,
} from '../../test/e2e/harness/test-root.ts';
import { projectFolder, run } from '../root/programs.ts';
import type { Narrator } from './narrator.ts';

/** The branch that the demo's server follows. */
export const ref = 'alpine/x86_64/server';
const layout = join(projectFolder, 'layouts/vm-small.cfg');

/** What a build host makes: three releases in a repository, and a disk with the first. */
export interface Release {
  readonly repo: string;
  readonly disk: string;
  readonly publicKey: string;
  /** Commits a root as the next state of the server. */
  commit(root: string, subject: string): Promise<void>;
  readonly v2: string;
  readonly v3: string;
}

/** Builds the roots, commits v1 and makes a disk of it. v2 and v3 are committed later. */
export async function buildRelease(folder: string, narrator: Narrator): Promise<Release> {
  const [repo, key, disk] = ['repo', 'release', 'disk.img'].map((name) => join(folder, name));
  if (repo === undefined || key === undefined || disk === undefined) throw new Error('no names');
  const roots = { v1: join(folder, 'v1'), v2: join(folder, 'v2'), v3: join(folder, 'v3') };
  const unprivileged = process.getuid?.() !== 0;
  await narrator.step(
    'make the repository and a key: pinectl init, pinectl keys generate',
    async () => {
      await pinectl('init', '--repo', repo);
      await pinectl('keys', 'generate', '-o', key);
    },
  );
  await narrator.step(
    'build three states of an Alpine server: v1, v2 (a security update), v3 (its init is broken)',
    async () => {
      await buildTestRoot(roots.v1, { ...serverRoot('v1'), unprivileged }, `${key}.pub`);
      await buildTestRoot(roots.v2, { ...serverRoot('v2'), unprivileged }, `${key}.pub`);
      await run('cp', ['-a', roots.v2, roots.v3]);
      breakages.panic(roots.v3);
    },
    () => `${kernelNote}${unprivileged ? '; not root, so a smaller one without sshd' : ''}`,
  );
  const commit = async (root: string, subject: string) => {
    await narrator.step(
      `commit ${subject}: pinectl commit --bootable --sign-key …`,
      () =>
        pinectl(
          ...['commit', '--repo', repo, '--ref', ref, '--tree', root, '--bootable'],
          ...['--layout', layout, '--sign-key', `${key}.secret`, '--subject', subject],
          ...(unprivileged ? ['--owner-uid', '0', '--owner-gid', '0'] : []),
        ),
      (said) => said.trim().split('\n').at(-1) ?? '',
    );
  };
  await commit(roots.v1, 'v1');
  await narrator.step('write a disk that boots with BIOS and with UEFI: pinectl image', () =>
    pinectl(
      ...['image', '--repo', repo, '--ref', ref, '--layout', layout],
      ...['-o', disk, '--size', diskSize],
    ),
  );
  return { repo, disk, publicKey: `${key}.pub`, commit, v2: roots.v2, v3: roots.v3 };
}
