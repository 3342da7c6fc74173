import { beforeEach, describe, expect, it } from 'vitest';
import { addKeptPath } from '../../../src/deploy/kept/add-path.ts';
import { findForgotten } from '../../../src/deploy/kept/forgotten.ts';
import { readKept } from '../../../src/deploy/kept/kept-paths.ts';
import type { Machine } from '../../../src/deploy/machine.ts';
import type { ErrorCode } from '../../../src/error.ts';
import { keepAll, randomLoss } from '../../crash/world/loss.ts';
import { makeReleases, type Releases } from '../../crash/world/releases.ts';
import { afterCut, machineOf, makeWorld, type World } from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';

const mounts = [
  '/dev/vda4 / squashfs ro 0 0',
  '/dev/vda7 /data ext4 rw,noatime 0 0',
  '/dev/vda7 /etc ext4 rw,noatime 0 0',
  '/dev/vda7 /var ext4 rw,noatime 0 0',
  'tmpfs /run tmpfs rw 0 0',
  'tmpfs /tmp tmpfs rw 0 0',
  'tmpfs /usr/share/a\\040b tmpfs rw 0 0',
  'overlay /usr/share/web overlay rw,lowerdir=/usr/share/web,upperdir=/run/upper,workdir=/run/work 0 0',
  'overlay /usr/share/kept overlay rw,lowerdir=/x,upperdir=/data/upper,workdir=/data/work 0 0',
  'proc /proc proc rw 0 0',
];

let releases: Releases | undefined;
let world: World;
let machine: Machine;
beforeEach(async () => {
  releases ??= await makeReleases();
  const made = await makeWorld({ a: releases.v1, b: releases.v0, order: [1, 2] });
  const { files } = made;
  await files.makeFolder('/usr/lib/pine', 0o755);
  await files.makeFolder('/proc', 0o555);
  await files.writeFile('/usr/lib/pine/state.list', Buffer.from('/var\n/home\nnonsense\n'), 0o644);
  await files.writeFile('/proc/mounts', Buffer.from(`${mounts.join('\n')}\n`), 0o444);
  await files.makeFolder('/usr/share/webapps', 0o755);
  await files.makeLink('webapps', '/usr/share/link');
  await files.syncAll('/');
  world = afterCut(made, keepAll);
  machine = { ...machineOf(world), root: '/' };
});

describe('the paths that stay', () => {
  it('come from the image and from the machine, and are mounted or wait for a boot', async () => {
    await addKeptPath(machine, '/usr/share/webapps');
    const { paths, passedOver } = await readKept(machine);
    expect(paths).toEqual([
      { path: '/var', listedBy: 'image', folder: '/data/state/var', mounted: true },
      { path: '/home', listedBy: 'image', folder: '/data/state/home', mounted: false },
      {
        path: '/usr/share/webapps',
        listedBy: 'machine',
        folder: '/data/state/usr-share-webapps',
        mounted: false,
      },
    ]);
    expect(passedOver).toMatchObject([{ file: '/usr/lib/pine/state.list', line: 3 }]);
  });

  it('are the standard ones where the image lists none', async () => {
    const { root: _, ...unmounted } = machine;
    const { paths } = await readKept(unmounted);
    expect(paths.map(({ path }) => path)).toContain('/usr/local');
  });

  it.each<[string, ErrorCode]>([
    ['/usr/share/nothing', 'NOT_FOUND_FOLDER'],
    ['/usr/share/link', 'NOT_FOUND_FOLDER'],
    ['/var/lib', 'INPUT_STATE_PATH'],
    ['/etc/x', 'INPUT_STATE_PATH'],
    ['relative', 'INPUT_STATE_PATH'],
  ])('can not be %s', async (path, code) => {
    const before = world.power.log.length;
    await codeOfAsync(() => addKeptPath(machine, path), code);
    expect(world.power.log).toHaveLength(before);
  });

  it('can not be one that something is mounted in: it would not be brought along', async () => {
    await world.files.makeFolder('/usr/share/web/x', 0o755);
    await codeOfAsync(() => addKeptPath(machine, '/usr/share/web'), 'STATE_MOUNTED');
  });

  it('S7: a list is the old or the new one, wherever adding is cut', async () => {
    await addKeptPath(machine, '/usr/share/webapps');
    const list = `${machine.etc}/pine/state.list`;
    await world.files.makeFolder('/usr/share/more', 0o755);
    await world.files.syncAll('/');
    for (let write = 1; ; write += 1) {
      const cut = afterCut(world, keepAll);
      cut.power.cutAt(write);
      const there = { ...machineOf(cut), root: '/' };
      const error = await addKeptPath(there, '/usr/share/more').then(
        () => undefined,
        (cause: unknown) => cause,
      );
      const after = afterCut(cut, randomLoss(write));
      const text = (await after.files.readFile(list, 1000))?.toString();
      expect(['/usr/share/webapps\n', '/usr/share/webapps\n/usr/share/more\n']).toContain(text);
      if (error === undefined) break;
    }
  });
});

describe('what a reboot forgets', () => {
  it('is what lies in memory, other than where everything does', async () => {
    const { files } = world;
    await files.makeFolder('/usr/share/a b/deep', 0o755);
    await files.writeFile('/usr/share/a b/deep/one', Buffer.from('1'), 0o644);
    await files.makeFolder('/run/upper', 0o755);
    await files.writeFile('/run/upper/index.html', Buffer.from('1'), 0o644);
    await files.makeFolder('/data/upper', 0o755);
    await files.writeFile('/data/upper/index.html', Buffer.from('1'), 0o644);
    await files.makeFolder('/tmp', 0o777);
    await files.writeFile('/tmp/scratch', Buffer.from('1'), 0o644);
    expect(await findForgotten(machine)).toEqual([
      { place: '/usr/share/a b', type: 'tmpfs', files: ['/usr/share/a b/deep/one'], count: 1 },
      { place: '/usr/share/web', type: 'overlay', files: ['/usr/share/web/index.html'], count: 1 },
    ]);
    const all = await findForgotten(machine, { all: true });
    expect(all.map(({ place }) => place)).toContain('/tmp');
  });

  it('is everything on a machine without its data partition', async () => {
    const text = 'tmpfs /data tmpfs rw 0 0\ntmpfs /var tmpfs rw 0 0\n';
    await world.files.writeFile('/proc/mounts', Buffer.from(text), 0o444);
    await world.files.makeFolder('/var/lib', 0o755);
    await world.files.writeFile('/var/lib/database', Buffer.from('1'), 0o644);
    const places = await findForgotten(machine);
    expect(places.find(({ place }) => place === '/var')?.files).toEqual(['/var/lib/database']);
  });

  it('is nothing on a machine as it should be', async () => {
    expect(await findForgotten(machine)).toEqual([]);
  });
});
