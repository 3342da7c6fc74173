import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { UpgradeRemote } from '../../src/deploy/upgrade/survey.ts';
import { upgrade } from '../../src/deploy/upgrade.ts';
import { generateKeyPair } from '../../src/trust/generate.ts';
import { generator, makeElf } from '../delta/support/small-elf.ts';
import { makeKernel } from '../delta/support/small-kernel.ts';
import { deltasRemote, generateBetween, type OfferedDelta } from './world/delta.ts';
import { cutEverywhere } from './world/every-cut.ts';
import { slotProblem } from './world/judge.ts';
import { dropAll, keepAll, randomLoss } from './world/loss.ts';
import { overriding } from './world/overriding.ts';
import { makeRelease, type Release } from './world/release.ts';
import { upgradeOptions } from './world/releases.ts';
import { remoteOf } from './world/remote.ts';
import { afterCut, machineOf, makeWorld, type World } from './world/world.ts';

let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let v2: Release;
/** v0 runs. */
let before: World;
let chain: OfferedDelta[];
let direct: OfferedDelta;

const random = generator(9);
/** What makes the content too long to be kept in memory when it is decompressed. */
const noise = Buffer.from(Array.from({ length: 40_000 }, () => random() & 255));
/** The content of a kernel. */
const content = (grown: number): Buffer => {
  const functions = Array.from({ length: 200 }, (_, index) => (index % 9 ? 8 : grown));
  return Buffer.concat([makeElf({ functions, seed: 5 }), noise]);
};
/** About the bytes of each. */
const scratch = 80_000;

beforeAll(async () => {
  keys = await generateKeyPair('release');
  const make = (version: string, grown: number) =>
    makeRelease({
      ...{ version, timestamp: 100 * grown, key: keys.secretKey },
      objects: { vmlinuz: makeKernel(content(grown)), libc: 300_000 },
    });
  const [v0, v1] = [await make('0', 1), await make('1', 2)];
  v2 = await make('2', 3);
  const offer = async (from: Release, to: Release): Promise<OfferedDelta> => ({
    ...{ from: from.checksum, to: to.checksum, files: 10_000_000 },
    ...{ bytes: await generateBetween(from, to, [keys.secretKey]), scratch },
  });
  before = await makeWorld({ a: v0, b: v1, order: [1, 2] });
  chain = [await offer(v0, v1), await offer(v1, v2)];
  direct = await offer(v0, v2);
});

function options(offers: Partial<UpgradeRemote>, notes: string[] = []) {
  const note = (text: string) => notes.push(text);
  return { ...upgradeOptions({ v2, keys }), remote: remoteOf(v2, offers), note };
}

const noFiles: Partial<UpgradeRemote> = {
  objects: {
    open(): AsyncIterable<Uint8Array> {
      throw new Error('an object was fetched');
    },
  },
};

describe('an upgrade to another kernel', () => {
  it('S7: by a chain of deltas, cut at every write, ends the same when run again', async () => {
    const begin = async () => afterCut(before, keepAll);
    const remote = { ...deltasRemote(v2.checksum, chain), ...noFiles };
    const operation = (world: World) => upgrade(machineOf(world), options(remote));
    const whole = await begin();
    await operation(whole);
    expect(slotProblem(whole.slots.b.medium, v2.checksum)).toBeUndefined();
    expect(whole.power.log.join('\n')).toContain('deltas/scratch');
    expect(await whole.files.status('/data/pine/deltas')).toBeUndefined();
    const end = ({ slots }: World) => createHash('sha256').update(slots.b.medium).digest('hex');
    const { problems, writes } = await cutEverywhere({
      begin,
      operation,
      losses: (cut) => [[keepAll, dropAll, randomLoss(cut)][cut % 3] ?? keepAll],
      judge: async (after) => {
        await operation(after);
        const isSame = end(after) === end(whole);
        const isTidy = (await after.files.status('/data/pine/deltas')) === undefined;
        return isSame && isTidy ? [] : ['S7: run again, it ends differently'];
      },
    });
    expect(problems).toEqual([]);
    expect(writes).toBeGreaterThan(60);
  });

  it('S10: by other means where what is decompressed has no room, as the list of deltas tells', async () => {
    const world = afterCut(before, keepAll);
    const needed = direct.bytes.length + scratch;
    let free = 2 ** 40;
    const files = overriding(world.files, {
      freeBytes: async () => {
        const answer = free;
        free = 1_060_000 + needed - 30_000;
        return answer;
      },
    });
    const notes: string[] = [];
    const asked: string[] = [];
    const remote = deltasRemote(v2.checksum, [direct]);
    const fetchDelta: UpgradeRemote['fetchDelta'] = (ends, from) => {
      asked.push(ends.from);
      return remote.fetchDelta(ends, from);
    };
    await upgrade({ ...machineOf(world), files }, options({ ...remote, fetchDelta }, notes));
    expect(notes.join()).toMatch(/the delta is not used: .* no room for it/);
    expect(asked).toEqual([]);
    expect(slotProblem(world.slots.b.medium, v2.checksum)).toBeUndefined();
  });

  it('S10: or as only the delta itself tells: before a byte of it is written', async () => {
    const world = afterCut(before, keepAll);
    const written: string[] = [];
    const asked: string[] = [];
    const remote = deltasRemote(v2.checksum, [{ ...direct, scratch: 0 }]);
    const files = overriding(world.files, {
      freeBytes: async () =>
        asked.length > 0 ? 1_060_000 + direct.bytes.length + 20_000 : 2 ** 40,
      appendFile: async (path, bytes, mode) => {
        written.push(path);
        return world.files.appendFile(path, bytes, mode);
      },
    });
    const fetchDelta: UpgradeRemote['fetchDelta'] = (ends, from) => {
      asked.push(ends.from);
      return remote.fetchDelta(ends, from);
    };
    const notes: string[] = [];
    await upgrade({ ...machineOf(world), files }, options({ ...remote, fetchDelta }, notes));
    expect(notes.join()).toMatch(/the delta is not used: the data partition has no room/);
    expect(written.join()).not.toContain('deltas/');
    expect(slotProblem(world.slots.b.medium, v2.checksum)).toBeUndefined();
  });

  it('fetches the whole image when the old kernel is damaged', async () => {
    const damaged = afterCut(before, keepAll);
    const { medium } = damaged.slots.a;
    const at = medium.indexOf(Buffer.from('02214c18', 'hex'));
    medium.fill(255, at + 100, at + 200);
    const world = afterCut(damaged, keepAll);
    const notes: string[] = [];
    await upgrade(machineOf(world), options(deltasRemote(v2.checksum, [direct]), notes));
    expect(notes.join()).toContain('fetching the whole image');
    expect(slotProblem(world.slots.b.medium, v2.checksum)).toBeUndefined();
  });
});
