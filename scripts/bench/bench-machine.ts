import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { parseLayout } from '../../src/disk/layout.ts';
import { findCommitImage } from '../../src/install/commit-image.ts';
import { writeDiskImage } from '../../src/install/disk-image.ts';
import { Repository } from '../../src/repo/repository.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { encodeKey } from '../../src/trust/keys.ts';

const layout = (slotMegabytes: number): string => `label: gpt
name="bios-grub", size=1MiB, type=21686148-6449-6E6F-744E-656564454649
name="esp", size=4MiB, type=U
name="boot", size=4MiB
name="root-a", size=${slotMegabytes}MiB
name="root-b", size=${slotMegabytes}MiB
name="data", size=64MiB
`;

/** A machine in a disk image file, and the repository that its commits are in. */
export interface BenchMachine {
  readonly disk: string;
  readonly state: string;
  readonly repo: string;
  /** The .secret file of the key that it trusts. */
  readonly key: string;
  /** What tells pinectl of it. */
  readonly options: readonly string[];
  /** Commits, in the order of the trees; it runs the first. */
  readonly commits: readonly string[];
  /** Says where it looks for upgrades; nowhere before that. */
  follow(remote: string): void;
}

/** Makes a machine of trees that need no kernel: it is never booted. The ref is `bench`. */
export async function makeBenchMachine(
  folder: string,
  trees: readonly string[],
): Promise<BenchMachine> {
  const path = (name: string): string => join(folder, name);
  const [disk, config, state, repo, key] = [
    ...[path('disk.img'), path('etc-pine'), path('state')],
    ...[path('repo'), path('release.secret')],
  ] as [string, string, string, string, string];
  mkdirSync(state);
  mkdirSync(join(config, 'keys'), { recursive: true });
  const { publicKey, secretKey } = await generateKeyPair('release');
  writeFileSync(join(config, 'keys/release.pub'), `${encodeKey(publicKey)}\n`);
  writeFileSync(key, `${encodeKey(secretKey)}\n`, { mode: 0o600 });
  const follow = (remote: string): void =>
    writeFileSync(join(config, 'pinectl.toml'), `remote = "${remote}"\nref = "bench"\n`);
  follow('/nowhere');
  const repository = await Repository.init(repo);
  const commits: string[] = [];
  let largest = 0;
  for (const [index, tree] of trees.entries()) {
    const { commit, image } = await commitTree(repository, (await scanFolder(tree)).tree, {
      ref: 'bench',
      timestamp: 1_700_000_000 + index,
      image: true,
      // What --bootable adds for a real root; these have no kernel.
      metadata: [
        ['version', { type: 's', value: String(index + 1) }],
        ['pine.boot-compat', { type: 'u', value: 1 }],
      ],
      signKeys: [secretKey],
    });
    commits.push(commit);
    largest = Math.max(largest, image?.size ?? 0);
  }
  const first = await findCommitImage(repository, commits[0] ?? '');
  await writeDiskImage(disk, {
    repository,
    commit: first,
    // The verity tree and the trailer need room too.
    layout: parseLayout(layout(Math.ceil((largest * 1.02) / 2 ** 20) + 4), 'bench.cfg'),
    size: undefined,
    diskUuid: undefined,
    deployment: { id: 'first', slot: 'a', kernelArguments: '', commit: first.commit },
  });
  const options = ['--disk', disk, '--state', state, '--config', config];
  return { disk, state, repo, key, options, commits, follow };
}
