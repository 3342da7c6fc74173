import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeCpio } from '../../../src/build/initramfs/cpio.ts';
import { readCommitDrivers } from '../../../src/install/hijack/commit-drivers.ts';
import { findMissingDrivers, type NeededDevice } from '../../../src/install/hijack/drivers.ts';
import { FolderSource } from '../../../src/remote/folder-source.ts';
import { RemoteRepository } from '../../../src/remote/remote-repository.ts';
import { RemoteTree } from '../../../src/remote/remote-tree.ts';
import { decodeCommit } from '../../../src/repo/commit-object.ts';

const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
const device = (modalias: string, more: Partial<NeededDevice> = {}): NeededDevice => ({
  ...{ of: 'the disk vda', modalias, driver: 'x', loaded: true, early: true },
  ...more,
});
const blk = device('virtio:d00000002v00001AF4');
const bus = device('pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00');
const net = device('virtio:d00000001v00001AF4', { of: 'the network card eth0', early: false });
const odd = device('pci:v000015B3d00001018sv0sd0bc02sc00i00', { early: false });

/** A repository with a commit whose kernel has some drivers, some of them in the initramfs. */
let folder = '';
let tree: RemoteTree;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pine-drivers-'));
  const put = (path: string, bytes: string | Buffer) => {
    mkdirSync(dirname(join(folder, 'root', path)), { recursive: true });
    writeFileSync(join(folder, 'root', path), bytes);
  };
  const modules = 'lib/modules/6.12.1-0-virt';
  put(
    `${modules}/modules.alias`,
    [
      '# Aliases extracted from modules themselves.',
      'alias virtio:d00000002v* virtio_blk',
      'alias virtio:d00000001v* virtio-net',
      'alias usb:v0001p* something',
      ...Array.from(
        { length: 5000 },
        (_, id) => `alias pci:v00008086d0000${id}sv*sd*bc*sc*i* e${id}`,
      ),
    ].join('\n'),
  );
  put(
    `${modules}/modules.builtin.modinfo`,
    'virtio_pci.license=GPL\0virtio_pci.alias=pci:v00001AF4d*sv*sd*bc*sc*i*\0',
  );
  const file = (path: string) =>
    ({ kind: 'file', path, permissions: 0o644, content: Buffer.alloc(100_001) }) as const;
  put('boot/initramfs', encodeCpio([file('bin/busybox'), file('modules/virtio_blk.ko')]));
  symlinkSync('initramfs', join(folder, 'root/boot/link'));
  const options = { cwd: folder, encoding: 'utf8', env: { PINE_REPO: 'repo' } } as const;
  execFileSync(process.execPath, [main, 'init'], options);
  execFileSync(process.execPath, [main, 'commit', '--ref', 'a', '--tree', 'root'], options);
  const remote = new RemoteRepository(new FolderSource(join(folder, 'repo')));
  const { commit } = await remote.fetchCommit(await remote.resolveRef('a'));
  tree = new RemoteTree(remote, decodeCommit(commit, 'a').rootTree);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('drivers are found in modules.alias, among what is built in, and in the initramfs', async () => {
  const drivers = await readCommitDrivers(tree, [blk, bus, net, odd]);
  expect([...drivers.initramfs]).toEqual(['virtio_blk']);
  expect(drivers.aliases.map(([, module]) => module)).toContain('virtio_net');
  expect(drivers.aliases.map(([, module]) => module)).not.toContain('something');
  expect(findMissingDrivers([blk, bus, net], drivers)).toEqual([]);
  expect(findMissingDrivers([odd], drivers)).toEqual([{ device: odd, notInInitramfs: [] }]);
  // A disk whose driver is only in the root is never reached.
  const early = { ...net, early: true };
  expect(findMissingDrivers([early], drivers)).toEqual([
    { device: early, notInInitramfs: ['virtio_net'] },
  ]);
  // A bridge: part of the kernel here, and no module anywhere.
  expect(findMissingDrivers([{ ...odd, loaded: false }], drivers)).toEqual([]);
});

test('a file of a remote tree: not there, a link, too large', async () => {
  expect(await tree.open('/boot/none', 10)).toBeUndefined();
  expect(await tree.open('/none/at/all', 10)).toBeUndefined();
  expect(await tree.open('/boot/link', 1000)).toBeUndefined();
  await expect(tree.open('/boot/initramfs', 1000)).rejects.toMatchObject({
    code: 'CORRUPT_TOO_LARGE',
  });
});
