import { appendFile, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../../boot/choice.ts';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import type { Progress } from '../../../ports/progress.ts';
import type { DiskPlan } from '../disk-plan.ts';
import type { Host } from '../host.ts';
import type { HostFacts } from '../survey.ts';
import { activate, refuseStaged, removeStaged, settle, syncPath } from './activate.ts';
import { buildPayload, hashFile } from './build-payload.ts';
import { carryOver } from './carry-over.ts';
import { type CommitSource, fetchImage } from './fetch-image.ts';
import { ImageFiles } from './image-files.ts';
import {
  encodeStage,
  installerEntry,
  stageBlockSize,
  stagingFolder,
  startsWhileWriting,
} from './installer-entry.ts';
import { installerArchive } from './installer-initramfs.ts';
import { loadInstaller } from './kexec-installer.ts';
import { readOldSystem } from './old-system.ts';
import { findRoad, type Road } from './road.ts';
import { formatSteps, type Step } from './steps.ts';

/** What is taken over, by what. */
export interface TakeOver {
  readonly host: Host;
  readonly facts: HostFacts;
  readonly disk: DiskPlan;
  /**
   * Plans again, once the image is there: what a file system can be shrunk to grows by more than what is put
   * into it, and only resize2fs can tell. Throws what then stands in the way.
   */
  readonly planAgain: () => Promise<DiskPlan>;
  readonly source: CommitSource;
  /** What the new machine follows, as it is written into its settings. */
  readonly remote: string;
  readonly keyTexts: readonly string[];
  /** The installer is entered by kexec: until it writes, no boot loader starts it. */
  readonly kexec: boolean;
  readonly newDeploymentId: (commit: string) => string;
  readonly tries: number;
  /** Seconds since 1970. */
  readonly now: number;
  readonly progress: Progress;
  readonly note: (text: string) => void;
}

/** What was prepared. */
export interface Staged {
  readonly commit: string;
  readonly steps: readonly Step[];
  readonly carried: readonly string[];
}

/**
 * Prepares a take-over while the old system runs: fetches and verifies the commit, builds every byte that
 * the installer will write, and has GRUB start it at the next boot, once, or `systemctl kexec`. Nothing outside
 * of two names in /boot is changed, and that start is left to the caller.
 *
 * Throws STATE_HIJACK_STAGED, INPUT_TAKE_OVER, what fetching and building throw, and PROGRAM_UNEXPECTED when
 * GRUB does not read what was written. Whatever fails, all is as it was.
 */
export async function stageTakeOver(takeOver: TakeOver): Promise<Staged> {
  const { host, facts, disk } = takeOver;
  await refuseStaged(host);
  const road = await findRoad(host, facts, disk);
  await rm(stagingFolder, { recursive: true, force: true }); // what a run that was cut left
  try {
    await mkdir(stagingFolder, { mode: 0o700 });
    const { staged, installerArguments } = await prepare(takeOver, road);
    await activate(road);
    if (takeOver.kexec) await loadInstaller(installerArguments);
    return staged;
  } catch (error) {
    await removeStaged(host);
    throw error;
  }
}

async function prepare(takeOver: TakeOver, road: Road) {
  const { host, facts, source, remote, keyTexts, progress, note, now } = takeOver;
  const inFolder = (name: string) => join(stagingFolder, name);
  const accepted = await fetchImage(source, inFolder('slot'), progress);
  const image = await ImageFiles.open(inFolder('slot'), accepted.image.size);
  const old = await readOldSystem(host, facts);
  const following = { remote, ref: source.ref, keys: keyTexts };
  const commandLine = (await host.readText('/proc/cmdline')) ?? '';
  const consoles = commandLine.split(/\s+/).filter((word) => /^console=[\w,]+$/.test(word));
  const kernelArguments = consoles.join(' ') || 'console=tty0 console=ttyS0';
  const table = road.oldTable === undefined ? 'mbr' : 'gpt';
  const installerArguments = [
    ...['pine.hijack', kernelArguments, 'panic=10 oops=panic softlockup_panic=1'],
    ...(table === 'gpt' ? ['gpt'] : []), // take-over/new-table.ts
  ].join(' ');
  let carried: ReturnType<typeof carryOver>;
  try {
    carried = carryOver(await image.readEtc(), old, following, now);
    await image.append('/boot/vmlinuz', inFolder('vmlinuz'));
    await image.append('/boot/initramfs', inFolder('initramfs'));
  } finally {
    await image.close();
  }
  for (const text of carried.notes) note(text);
  await settle(); // resize2fs looks at what is on the disk
  const disk = await takeOver.planAgain();
  const commit = accepted.checksum;
  const deployment: Deployment = {
    ...{ id: takeOver.newDeploymentId(commit), slot: 'a', commit, kernelArguments },
  };
  const steps = await buildPayload({
    ...{ folder: stagingFolder, image: 'slot', accepted, disk, deployment },
    diskSize: road.diskSize,
    firstSector: await host.readBytes(road.diskPath, 0, 512),
    shrinks: road.fileSystemSize > disk.shrunk.size,
    tries: takeOver.tries,
    oldTable: road.oldTable,
    previous: { partition: road.rootNumber, table, installer: stagingFolder, installerArguments },
    carried: carried.tar,
    time: now,
  });
  const stage = encodeStage({ stage: 'staged', starts: takeOver.kexec ? 0 : 1 });
  await writeFile(inFolder('env'), stage);
  await syncPath(inFolder('env'));
  const archive = await installerArchive(host, {
    ...{ diskSize: road.diskSize, rootStart: road.rootStart, rootBlockSize: road.blockSize },
    ...{ rootUuid: road.fileSystemUuid, stageSector: await findStageSector(host, road, stage) },
    ...{ starts: startsWhileWriting, staging: stagingFolder, steps: formatSteps(steps) },
    sums: new Map(
      steps.flatMap((step) => (step.kind === 'write' ? [[step.file, step.sha256]] : [])),
    ),
  });
  await appendFile(inFolder('initramfs'), archive);
  const sums: string[] = [];
  for (const name of ['vmlinuz', 'initramfs']) {
    sums.push(`${await hashFile(inFolder(name))}  ${name}\n`);
  }
  await writeFile(inFolder('boot.sha256'), sums.join(''));
  await writeFile(inFolder('custom.cfg'), installerEntry(road.fileSystemUuid, installerArguments));
  await chmod(inFolder('custom.cfg'), 0o644);
  const staged: Staged = { commit, steps, carried: carried.paths };
  return { staged, installerArguments };
}

/** The sector of the disk that holds the stage block, which the installer rewrites in place. */
async function findStageSector(host: Host, road: Road, stage: Buffer): Promise<number> {
  const path = join(stagingFolder, 'env');
  const said = (await host.report('filefrag', ['-b512', '-v', path])) ?? '';
  // `   0:        0..       7:    5678..      5685:      8: last,eof`
  const first = /^\s*0:\s+0\.\.\s*\d+:\s+(\d+)\.\./m.exec(said)?.[1];
  const sector = road.rootStart / 512 + Number(first);
  if (first !== undefined) {
    await nodeBlockDevice(road.diskPath).dropCache();
    const bytes = await host.readBytes(road.diskPath, sector * 512, stageBlockSize);
    if (bytes.equals(stage)) return sector;
  }
  throw new PineError('PROGRAM_UNEXPECTED', 'where a file lies on the disk could not be found', {
    expected: `filefrag to say where ${path} lies`,
    found: said.split('\n').slice(-3).join('; ') || 'nothing',
    where: road.diskPath,
    remedy: 'report this, with what `filefrag -b512 -v` says',
  });
}
