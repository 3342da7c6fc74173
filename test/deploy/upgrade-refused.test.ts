import { describe, expect, it } from 'vitest';
import { writePins } from '../../src/deploy/pins/pin-file.ts';
import { readSituation } from '../../src/deploy/situation.ts';
import { withHold } from '../../src/deploy/state.ts';
import { writeState } from '../../src/deploy/state-files.ts';
import type { UpgradeRemote } from '../../src/deploy/upgrade/survey.ts';
import { previewUpgrade, upgrade } from '../../src/deploy/upgrade.ts';
import { type ErrorCode, PineError } from '../../src/error.ts';
import { trailerSize } from '../../src/image/trailer.ts';
import { keepAll } from '../crash/world/loss.ts';
import { makeRelease, type Release } from '../crash/world/release.ts';
import { makeReleases, upgradeOptions } from '../crash/world/releases.ts';
import { remoteOf } from '../crash/world/remote.ts';
import { settledMachine } from '../crash/world/settled.ts';
import {
  afterCut,
  deploymentB,
  type MachineSettings,
  machineOf,
  type World,
} from '../crash/world/world.ts';
import { codeOfAsync } from '../support/code-of.ts';

const { releases, base, fresh } = await settledMachine();

function gone(code: ErrorCode): PineError {
  return new PineError(code, 'the remote does not answer', {
    expected: 'an answer',
    found: 'none',
    where: 'the remote',
    remedy: 'try again',
  });
}

async function* failing(piece: Buffer, code: ErrorCode): AsyncGenerator<Uint8Array> {
  yield piece;
  throw gone(code);
}

interface Refused {
  readonly what: string;
  readonly code: ErrorCode;
  readonly remote?: () => UpgradeRemote | Promise<UpgradeRemote>;
  readonly change?: (world: World) => void | Promise<void>;
  readonly machine?: MachineSettings;
}

const variant = async (changes: Partial<Parameters<typeof makeRelease>[0]>): Promise<Release> =>
  makeRelease({
    version: 'x',
    timestamp: 300,
    objects: { other: 1000 },
    key: releases.keys.secretKey,
    ...changes,
  });

/** What is refused before a single byte is written, anywhere. */
const untouched: readonly Refused[] = [
  {
    what: 'a remote that is gone',
    code: 'REMOTE_UNREACHABLE',
    remote: () =>
      remoteOf(releases.v2, { checkMode: () => Promise.reject(gone('REMOTE_UNREACHABLE')) }),
  },
  {
    what: 'a remote that is slow',
    code: 'REMOTE_TIMEOUT',
    remote: () =>
      remoteOf(releases.v2, { resolveRef: () => Promise.reject(gone('REMOTE_TIMEOUT')) }),
  },
  {
    what: 'a commit that is not what the ref names',
    code: 'CORRUPT_COMMIT',
    remote: () =>
      remoteOf(releases.v2, {
        fetchCommit: async () => ({
          commit: releases.v0.commit,
          detachedMetadata: releases.v0.detachedMetadata,
        }),
      }),
  },
  {
    what: 'a commit without a signature',
    code: 'TRUST_NO_SIGNATURE',
    remote: () =>
      remoteOf(releases.v2, {
        fetchCommit: async () => ({ commit: releases.v2.commit, detachedMetadata: undefined }),
      }),
  },
  {
    what: 'a commit of another key',
    code: 'TRUST_UNKNOWN_KEY',
    remote: async () => {
      const { keys } = await makeReleases();
      return remoteOf(await variant({ key: keys.secretKey }));
    },
  },
  {
    what: 'a commit for another ref',
    code: 'TRUST_WRONG_REF',
    remote: async () => remoteOf(await variant({ ref: 'alpine/x86_64/db' })),
  },
  {
    what: 'an older commit',
    code: 'TRUST_OLDER',
    remote: async () => remoteOf(await variant({ timestamp: 150 })),
  },
  {
    what: 'a commit for a newer boot loader',
    code: 'TRUST_BOOT_LOADER',
    remote: async () => remoteOf(await variant({ bootCompatibility: 2 })),
  },
  {
    what: 'an image that does not fit the slot',
    code: 'SPACE_SLOT',
    remote: async () => remoteOf(await variant({ objects: { large: 3_000_000 } })),
  },
  {
    what: 'a full data partition',
    code: 'SPACE_DATA',
    change: ({ files }) => {
      files.free = 100_000;
    },
  },
  {
    what: 'a machine on trial',
    code: 'STATE_ON_TRIAL',
    change: (world) => world.boot.writeChoice({ order: [2, 1], trial: { block: 2, tries: 1 } }),
    machine: { running: { deployment: deploymentB, slot: 'b', block: 2, choice: 'trial' } },
  },
  {
    what: 'a damaged boot choice',
    code: 'STATE_NO_CHOICE',
    change: ({ boot }) => void boot.disk.medium.fill('x', 0, 512),
  },
  {
    what: 'a machine after an emergency boot',
    code: 'STATE_EMERGENCY',
    machine: { running: { choice: 'emergency', block: undefined } },
  },
  {
    what: 'a deployment that was left by a rollback, before the reboot',
    code: 'STATE_REBOOT_PENDING',
    change: (world) => world.boot.writeChoice({ order: [2] }),
  },
  {
    what: 'a machine whose block is not the one that runs',
    code: 'STATE_IN_USE',
    machine: { running: { deployment: 'stranger' } },
  },
  {
    what: 'a machine without its data partition',
    code: 'STATE_DEGRADED',
    machine: { running: { data: 'degraded' } },
  },
  {
    what: 'a running slot whose trailer is damaged',
    code: 'CORRUPT_TRAILER',
    change: ({ slots }) => void slots.a.medium.fill(1, slots.a.medium.length - trailerSize + 100),
  },
  {
    what: 'a running slot without a trailer',
    code: 'CORRUPT_TRAILER',
    change: ({ slots }) => void slots.a.medium.fill(0, slots.a.medium.length - trailerSize),
  },
  {
    what: 'a commit that is held',
    code: 'STATE_HELD',
    change: async (world) => {
      const machine = machineOf(world);
      const { state } = await readSituation(machine);
      const hold = { commit: releases.v2.checksum, since: 1, reason: 'it hung' };
      await writeState(machine, withHold(state, hold));
    },
  },
  {
    what: 'a deployment in the other slot that is pinned',
    code: 'STATE_PINNED',
    change: (world) => writePins(machineOf(world), [{ deployment: deploymentB, since: 1 }]),
  },
];

/** The whole machine as one text. */
const describeWorld = ({ slots, boot, files }: World) =>
  [slots.a.medium, slots.b.medium, boot.disk.medium]
    .map((medium) => Buffer.from(medium).toString('base64'))
    .concat(files.describe('/data'))
    .join('\n');

/** What was written, but for the notice to whoever logs in. */
const durable = ({ power }: World) => power.log.filter((line) => !line.includes('/run'));

describe('an upgrade is refused, and nothing is written, for', () => {
  it.each(untouched)('$what: $code', async ({ code, remote, change, machine }) => {
    const world = fresh();
    await change?.(world);
    const before = afterCut(world, keepAll);
    const options = { ...upgradeOptions(releases), ...(remote && { remote: await remote() }) };
    await codeOfAsync(() => upgrade(machineOf(before, machine), options), code);
    expect(durable(before)).toEqual([]);
    expect(describeWorld(before)).toBe(describeWorld(world));
    // A preview is refused in the same words.
    await codeOfAsync(
      () => previewUpgrade(machineOf(before, machine), { ...options, plan: true }),
      code,
    );
    expect(durable(before)).toEqual([]);
  });
});

/** What shows only while the other slot is written: the machine still boots what it booted. */
const halfway: readonly Refused[] = [
  {
    what: 'a plan that is not the one that was promised',
    code: 'CORRUPT_PLAN',
    remote: () =>
      remoteOf(releases.v2, {
        async *fetchPlan() {
          yield releases.v0.plan;
        },
      }),
  },
  {
    what: 'a plan without end',
    code: 'CORRUPT_PLAN',
    remote: () =>
      remoteOf(releases.v2, {
        async *fetchPlan() {
          for (;;) yield Buffer.alloc(65536);
        },
      }),
  },
  {
    what: 'a plan that stops half-way',
    code: 'REMOTE_INTERRUPTED',
    remote: () =>
      remoteOf(releases.v2, {
        fetchPlan: () => failing(releases.v2.plan.subarray(0, 100), 'REMOTE_INTERRUPTED'),
      }),
  },
  {
    what: 'an object that stops half-way',
    code: 'REMOTE_INTERRUPTED',
    remote: () =>
      remoteOf(releases.v2, {
        objects: { open: () => failing(Buffer.alloc(5000), 'REMOTE_INTERRUPTED') },
      }),
  },
  {
    what: 'an object that is longer than the plan says',
    code: 'CORRUPT_OBJECT',
    remote: () =>
      remoteOf(releases.v2, {
        objects: {
          async *open(_checksum, length) {
            yield Buffer.alloc(length + 1);
          },
        },
      }),
  },
  {
    what: 'objects with other bytes in them',
    code: 'CORRUPT_IMAGE',
    remote: () =>
      remoteOf(releases.v2, {
        objects: {
          async *open(_checksum, length) {
            yield Buffer.alloc(length);
          },
        },
      }),
  },
];

describe('an upgrade ends half-way, and the machine boots what it booted, for', () => {
  it.each(halfway)('$what: $code', async ({ code, remote }) => {
    const world = fresh();
    const options = { ...upgradeOptions(releases), ...(remote && { remote: await remote() }) };
    await codeOfAsync(() => upgrade(machineOf(world), options), code);
    const after = afterCut(world, keepAll);
    expect(after.slots.a.medium.equals(base.slots.a.medium)).toBe(true);
    const choice = await after.boot.readChoice();
    expect(choice?.trial).toBeUndefined();
    expect(choice?.order[0]).toBe(1);
    // S7: with the remote as it should be, the same machine then upgrades.
    const outcome = await upgrade(machineOf(after), upgradeOptions(releases));
    expect(outcome).toMatchObject({ kind: 'armed', commit: releases.v2.checksum });
  });
});
