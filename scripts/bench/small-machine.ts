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

const layout = `label: gpt
name="bios-grub", size=1MiB, type=21686148-6449-6E6F-744E-656564454649
name="esp", size=4MiB, type=U
name="boot", size=4MiB
name="root-a", size=4MiB
name="root-b", size=4MiB
name="data", size=64MiB
`;

/** Makes the smallest machine that pinectl works on: a disk image with one small signed commit. Returns its options. */
export async function makeSmallMachine(folder: string): Promise<readonly string[]> {
  const [tree, disk, config, state] = ['tree', 'disk.img', 'etc-pine', 'state'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  mkdirSync(tree);
  mkdirSync(state);
  mkdirSync(join(config, 'keys'), { recursive: true });
  writeFileSync(join(tree, 'file'), 'content');
  const { publicKey, secretKey } = await generateKeyPair('release');
  writeFileSync(join(config, 'keys/release.pub'), `${encodeKey(publicKey)}\n`);
  writeFileSync(join(config, 'pinectl.toml'), 'remote = "/nowhere"\nref = "bench"\n');
  const repository = await Repository.init(join(folder, 'repo'));
  await commitTree(repository, (await scanFolder(tree)).tree, {
    ref: 'bench',
    timestamp: 1_700_000_000,
    image: true,
    // What --bootable adds for a real root; this one has no kernel.
    metadata: [
      ['version', { type: 's', value: '1' }],
      ['pine.boot-compat', { type: 'u', value: 1 }],
    ],
    signKeys: [secretKey],
  });
  const commit = await findCommitImage(repository, 'bench');
  await writeDiskImage(disk, {
    repository,
    commit,
    layout: parseLayout(layout, 'small.cfg'),
    size: undefined,
    diskUuid: undefined,
    deployment: { id: 'first', slot: 'a', kernelArguments: '', commit: commit.commit },
  });
  return ['--disk', disk, '--state', state, '--config', config];
}
