import { beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from '../../../src/deploy/machine.ts';
import { verifyWholeSlot } from '../../../src/deploy/verify/verify-slot.ts';
import type { BlockDeviceOpener } from '../../../src/ports/block-device.ts';
import { generateKeyPair } from '../../../src/trust/generate.ts';
import type { PublicKey } from '../../../src/trust/keys.ts';
import { contentOf, makeRelease, type Release } from '../../crash/world/release.ts';
import { remoteOf } from '../../crash/world/remote.ts';
import { machineOf, makeWorld, type World } from '../../crash/world/world.ts';

let release: Release;
let keys: PublicKey[];
beforeAll(async () => {
  const pair = await generateKeyPair('release');
  keys = [pair.publicKey];
  release = await makeRelease({
    version: '1',
    timestamp: 200,
    key: pair.secretKey,
    objects: { kernel: 300_000, library: 70_000 },
    etc: { motd: 'welcome', issue: 'welcome', empty: '' },
  });
});

const world = () => makeWorld({ a: release, b: undefined, order: [1] });
const verify = (machine: Machine, remote = remoteOf(release)) =>
  verifyWholeSlot(machine, 'a', { keys, remote });
const flip = ({ slots }: World, position: number) =>
  slots.a.medium.writeUInt8(slots.a.medium.readUInt8(position) ^ 1, position);
const placeOf = (text: Buffer) => release.image.indexOf(text);

describe('verify', () => {
  it('finds a whole slot whole', async () => {
    expect(await verify(machineOf(await world()))).toMatchObject({
      result: 'whole',
      running: true,
      commit: release.checksum,
      version: '1',
      signedBy: 'release',
      foundSha256: release.imageDigest.sha256,
      damage: [],
    });
  });

  it('names every file of content that fails, each with all of its paths', async () => {
    const machine = await world();
    flip(machine, placeOf(contentOf('kernel', 300_000)) + 123_456);
    flip(machine, placeOf(Buffer.from('welcome')));
    const { result, damage } = await verify(machineOf(machine));
    expect(result).toBe('damaged');
    expect(damage.map(({ paths }) => paths)).toEqual(
      expect.arrayContaining([['/kernel'], ['/etc/issue', '/etc/motd']]),
    );
    expect(damage).toHaveLength(2);
  });

  it('names files although the tables that name them are gone, and the tables too', async () => {
    const machine = await world();
    flip(machine, placeOf(contentOf('library', 70_000)));
    machine.slots.a.medium.fill(0, 0, 96); // the superblock
    const end = Number(release.image.readBigUInt64LE(40)); // bytes used
    machine.slots.a.medium.fill(0xff, end - 100, end);
    const { damage } = await verify(machineOf(machine));
    expect(damage.filter(({ object }) => object).map(({ paths }) => paths)).toEqual([['/library']]);
    expect(damage.filter(({ object }) => !object).length).toBeGreaterThanOrEqual(2);
  });

  it('finds each single damaged byte, wherever it is', async () => {
    const machine = await world();
    for (let position = 0; position < release.image.length; position += 4099) {
      flip(machine, position);
      const { result, damage } = await verify(machineOf(machine));
      expect(result).toBe('damaged');
      expect(damage).toHaveLength(1);
      const [{ position: from = 0, length = 0 } = {}] = damage;
      expect(position >= from && position < from + length).toBe(true);
      flip(machine, position);
    }
  });

  it('tells what a failing medium does not give', async () => {
    const machine = machineOf(await world());
    const at = placeOf(Buffer.from('welcome'));
    const slots = { ...machine.slots, a: failingAt(machine.slots.a, at) };
    const { result, damage, foundSha256 } = await verify({ ...machine, slots });
    expect({ result, foundSha256 }).toEqual({ result: 'damaged', foundSha256: '' });
    expect(damage).toMatchObject([{ paths: ['/etc/issue', '/etc/motd'], unreadable: true }]);
  });

  it('reads from the medium, not from what is cached', async () => {
    const machine = await world();
    const device = await machine.slots.a.open('write');
    await device.write(1000, Buffer.from('x'));
    await device.flush();
    flip(machine, 5000);
    await device.close();
    expect((await verify(machineOf(machine))).result).toBe('damaged');
  });

  it('S5: does not call whole what no trusted key signed', async () => {
    const machine = machineOf(await world());
    const other = (await generateKeyPair('other')).publicKey;
    const verdict = await verifyWholeSlot(machine, 'a', { keys: [other] });
    expect(verdict).toMatchObject({ result: 'unsigned', commit: release.checksum, signedBy: '' });
  });

  it('says when a slot does not say what it holds', async () => {
    const machine = await world();
    machine.slots.a.medium.fill(0, machine.slots.a.medium.length - 65536);
    expect(await verify(machineOf(machine))).toMatchObject({ result: 'unreadable' });
    flip(machine, machine.slots.a.medium.length - 65536);
    expect((await verify(machineOf(machine))).result).toBe('unreadable');
  });

  it('takes the plan from the remote when it is not kept, and does without names when there is none', async () => {
    const machine = await world();
    flip(machine, placeOf(Buffer.from('welcome')));
    await machine.files.remove('/data/pine/plans');
    const alone = await verifyWholeSlot(machineOf(machine), 'a', { keys });
    expect(alone).toMatchObject({ result: 'damaged', damage: [] });
    expect(alone.detail).toMatch(/plan is neither here nor/);
    const liar = remoteOf(release, {
      async *fetchPlan() {
        yield Buffer.from('something else');
      },
    });
    expect((await verify(machineOf(machine), liar)).damage).toEqual([]);
    expect((await verify(machineOf(machine))).damage).toMatchObject([
      { paths: ['/etc/issue', '/etc/motd'] },
    ]);
  });
});

/** A medium with a sector that can't be read. */
function failingAt(opener: BlockDeviceOpener, at: number): BlockDeviceOpener {
  return {
    ...opener,
    name: opener.name,
    dropCache: () => opener.dropCache(),
    async open(mode) {
      const device = await opener.open(mode);
      return {
        ...device,
        read: async (position, length) => {
          if (position <= at && position + length > at) {
            throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
          }
          return device.read(position, length);
        },
      };
    },
  };
}
