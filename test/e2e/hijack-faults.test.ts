import { join } from 'node:path';
import { afterAll, describe, expect, inject, test, vi } from 'vitest';
import { cacheFolder } from '../../scripts/root/programs.ts';
import { randomSource } from '../fuzz/mutate.ts';
import { arriveUnderLoad, restarts } from './harness/arrival.ts';
import { endsInPine, firstBoot } from './harness/cut-boots.ts';
import { chooseCuts } from './harness/cut-choice.ts';
import { judgeCuts } from './harness/cut-lanes.ts';
import { judgeLiveCuts } from './harness/cut-live.ts';
import { writeCutReport } from './harness/cut-report.ts';
import { DebianMachine, isFullRun, unableToMakeDebian } from './harness/debian-machine.ts';
import { readBytes } from './harness/disk-bytes.ts';
import { readByGrub } from './harness/grub-reads.ts';
import { changedFiles, findKeptMetadata, listCutRoot, listOldRoot } from './harness/old-root.ts';
import { cutAt } from './harness/power-cut.ts';
import {
  changedSectors,
  differingSectors,
  isRecorded,
  markRecorded,
  openRecorded,
  type RecordedTakeOver,
} from './harness/recorded-take-over.ts';
import { refOf } from './harness/release.ts';
import { type Verdict, verdictOn } from './harness/verdict.ts';
import { sectorSize } from './harness/write-log.ts';

const { folder = '/nowhere' } = inject('e2e');
const work = join(folder, 'runs/hijack-faults');
const seed = Number(process.env.PINE_FUZZ_SEED ?? 1);
/** Power cuts of each phase in a full run. */
const most = Number(process.env.PINE_CUTS ?? 30);
/** Machines at a time. */
const lanes = Number(process.env.PINE_LANES ?? 1);
/** What PINE_E2E_FOLDER kept is used again. */
const isKept = isRecorded(work);
const verdicts: Verdict[] = [];
if (isFullRun) vi.setConfig({ testTimeout: 6 * 3_600_000 }); // for each phase

let server: DebianMachine | undefined;
let recorded: RecordedTakeOver | undefined;

/** The server that is taken over and recorded: a Debian until the take-over is started. */
async function debian(): Promise<DebianMachine> {
  server ??= await DebianMachine.start('hijack-faults', {
    ...{ memory: 512, isWorn: true, record: true },
  });
  return server;
}

async function recording(): Promise<RecordedTakeOver> {
  recorded ??= await openRecorded(work);
  return recorded;
}

/** Judges some cuts of a phase, spread over it, and expects that none failed. */
async function judge(
  phase: string,
  range: { readonly from: number; readonly to: number },
  count: number,
  look: (disk: string, index: number) => Promise<string>,
): Promise<void> {
  const record = await recording();
  const cuts = chooseCuts(record.log, range, count, randomSource(seed + range.from));
  const found = await judgeCuts(record, phase, cuts, look, lanes);
  verdicts.push(...found);
  expect(found.filter(({ failure }) => failure !== undefined)).toEqual([]);
}

function readStage(disk: string, sector: number): string {
  const bytes = readBytes(disk, { start: sector * sectorSize, size: sectorSize });
  return bytes.toString('latin1');
}

/** Before the first write GRUB starts the installer if that was not counted yet, else Debian. */
async function bootsWhatCounts(disk: string, stageSector: number): Promise<string> {
  const booted = await firstBoot(disk);
  const isCounted = readStage(disk, stageSector).includes('pine_starts=0\n');
  expect(booted).toBe(isCounted ? 'debian' : 'installer');
  return `boots ${booted}`;
}

afterAll(async () => {
  recorded?.log.close();
  await server?.[Symbol.asyncDispose]();
  if (verdicts.length > 0) {
    writeCutReport(join(cacheFolder, 'hijack-faults.md'), seed, verdicts);
  }
});

// One take-over, every write of which is kept; then the disk as a power cut at any of them leaves it.
describe.skipIf(unableToMakeDebian !== undefined)('a take-over', () => {
  test.skipIf(isKept)(
    'is refused, and nothing changes, with another key or without a driver',
    async () => {
      const { machine, command } = await debian();
      const everything = 'ls -lA --time-style=+ /boot /boot/grub; sha256sum /boot/grub/grub*';
      const before = await machine.check(everything);
      await machine.check('pinectl keys generate -o /root/other');
      const withOtherKey = await machine.run(command.replace('release.pub', 'other.pub'), 300);
      expect(withOtherKey).toMatchObject({ output: expect.stringContaining('TRUST_UNKNOWN_KEY') });
      const driverless = command.replace(refOf('server'), refOf('driverless'));
      const withoutDriver = await machine.run(driverless, 300);
      expect(withoutDriver).toMatchObject({
        output: expect.stringMatching(/INPUT_NO_DRIVER.*net/s),
      });
      expect([withOtherKey.status, withoutDriver.status]).toEqual([5, 3]);
      expect(await machine.check(everything)).toBe(before);
    },
  );

  test.skipIf(isKept)(
    'makes of Debian a pine machine with its address, host key and login',
    async () => {
      const taken = await debian();
      const { machine } = taken;
      try {
        const hostKey = await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub');
        await taken.stage();
        machine.send('systemctl reboot');
        await machine.waitForConsole(/COMMITMENT/, 900);
        await machine.waitForBoot({ seconds: 900, slot: 'a' });
        expect(await machine.check('sed -n s/^choice=//p /run/pine/boot')).toBe('trial');
        expect(await machine.check('hostname; ip -o -4 addr show eth0; ip route')).toMatch(
          /^debian-vps\n.* 10\.0\.2\.15\/24 .*default via 10\.0\.2\.2 dev eth0/s,
        );
        for (const user of ['root', 'admin']) {
          expect(await taken.ssh(user, hostKey, 'id -un; hostname')).toBe(`${user}\ndebian-vps\n`);
        }
        await machine.kill();
        markRecorded(work);
      } catch (error) {
        await taken[Symbol.asyncDispose]();
        server = undefined; // a second try begins with a Debian
        throw error;
      }
    },
  );

  test('is recorded as a whole: all that was kept, written again, is the disk that was left', async () => {
    const record = await recording();
    const all = [cutAt(record.log, record.phases.end)];
    const [verdict] = await judgeCuts(record, 'the end', all, async (disk) => {
      expect(await differingSectors(disk, join(work, 'disk.img'))).toEqual([]);
      return 'the same';
    });
    expect(verdict).toMatchObject({ seen: 'the same' });
  });

  test('that is cut before the first write leaves Debian byte-identical but for one sector', async () => {
    const { log, phases, handedOver } = await recording();
    const { stageSector } = phases;
    // All that is written in this phase: whenever the power goes, nothing else can differ.
    const requests = log.requests.slice(phases.handedOver, phases.firstWrite);
    const written = requests.filter(({ kind }) => kind === 'write');
    expect(written.length).toBeGreaterThan(0);
    for (const write of written) {
      expect(changedSectors(handedOver, log, write)).toEqual([stageSector]);
    }
    const range = { from: phases.handedOver, to: phases.firstWrite };
    await judge('before the first write', range, 2, async (disk, index) => {
      const differing = await differingSectors(handedOver, disk);
      expect(differing.filter((sector) => sector !== stageSector)).toEqual([]);
      const identical = 'byte-identical but for that sector';
      if (index > 0 && !isFullRun) return identical;
      return `${identical}; ${await bootsWhatCounts(disk, stageSector)}`;
    });
  });

  test.runIf(isFullRun)(
    'that is switched off at any moment before the first write leaves Debian byte-identical',
    async () => {
      const { phases, handedOver } = await recording();
      const { stageSector } = phases;
      let booted = 0;
      const found = await judgeLiveCuts(
        {
          ...{ from: handedOver, folder: work, phase: 'before the first write', count: most },
          ...{ end: /FIRST WRITE/, random: randomSource(seed), lanes },
        },
        async (disk) => {
          if (readStage(disk, stageSector).includes('pine_stage=writing')) return undefined;
          const differing = await differingSectors(handedOver, disk);
          expect(differing.filter((sector) => sector !== stageSector)).toEqual([]);
          const identical =
            differing.length === 0 ? 'byte-identical' : 'identical but for one sector';
          booted += 1;
          if (booted > 6) return identical;
          return `${identical}; ${await bootsWhatCounts(disk, stageSector)}`;
        },
      );
      verdicts.push(...found);
      expect(found.filter(({ failure }) => failure !== undefined)).toEqual([]);
      expect(found.length).toBeGreaterThanOrEqual(most); // each lane ends the one that it began
    },
  );

  test('that is cut between the first write and the commitment goes on, with all of Debian whole', async () => {
    const { phases, handedOver } = await recording();
    const whole = await listOldRoot(handedOver);
    const kept = await findKeptMetadata(handedOver);
    const read = await readByGrub(handedOver);
    const look = async (disk: string) => {
      expect(await readByGrub(disk)).toBe(read);
      expect(changedFiles(whole, await listCutRoot(disk, kept))).toEqual([]);
      return 'GRUB reads the installer, and all files are whole';
    };
    // Where writes may be lost that belong together: resize2fs flushes once it is done.
    const shrink = { from: phases.kept, to: phases.shrunk };
    await judge('while Debian shrinks', shrink, isFullRun ? 10 : 2, look);
    const range = { from: phases.firstWrite, to: phases.commitment };
    await judge('before the commitment', range, isFullRun ? most : 2, async (disk, index) => {
      const seen = await look(disk);
      if (!isFullRun && index > 0) return seen;
      return `${seen}; boots ${await firstBoot(disk)}`;
    });
  });

  test('that is cut after the commitment ends in pine without help', async () => {
    const { commitment, done, end } = (await recording()).phases;
    const few = Math.ceil(most / 4); // there are not many requests until the table is whole
    const table = { from: commitment, to: done - 1 };
    await judge('after the commitment', table, isFullRun ? few : 1, (disk) => endsInPine(disk));
    await judge(
      "in pine's first boot",
      { from: done - 1, to: end },
      isFullRun ? most - few : 1,
      (disk) => endsInPine(disk),
    );
  });

  test.runIf(isFullRun)(
    'arrives in the installer ten times out of ten, from a Debian under load',
    async () => {
      const record = await recording();
      const found: Verdict[] = [];
      for (let index = 0; index < 10; index += 1) {
        const restart = restarts[index % restarts.length] ?? restarts[0];
        const disk = join(work, 'arrival.img');
        const arrive = () => arriveUnderLoad(record, disk, restart);
        found.push(await verdictOn('arrivals under load', restart, arrive));
      }
      verdicts.push(...found);
      expect(found.filter(({ failure }) => failure !== undefined)).toEqual([]);
    },
  );
});
