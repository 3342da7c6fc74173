import { randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../../boot/choice.ts';
import type { OldSystemWish } from '../../../boot/old-system-wish.ts';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import type { Progress } from '../../../ports/progress.ts';
import { formatRecord, type TakeOverRecord } from '../../../take-over/record.ts';
import type { StepTime } from '../../../take-over/story.ts';
import { runProgram } from '../../program.ts';
import type { DiskPlan } from '../disk-plan.ts';
import type { Host } from '../host.ts';
import type { HostFacts } from '../survey.ts';
import { activate, refuseStaged, removeStaged, settle } from './activate.ts';
import { buildPayload, hashFile } from './build-payload.ts';
import { carryOver } from './carry-over.ts';
import { putReady } from './esp-folders.ts';
import { espLoaderSteps } from './esp-loader.ts';
import { type CommitSource, fetchImage } from './fetch-image.ts';
import { findFileExtents, noPlace } from './file-extents.ts';
import { hiddenFromGrub } from './grub-during-shrink.ts';
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
import { makeMetadataRoom } from './metadata-room.ts';
import { readOldSystem } from './old-system.ts';
import { type EspPlace, findRoad, type Road } from './road.ts';
import { StepTimes } from './step-times.ts';
import { formatChecks, formatSteps, type LoaderSteps, type Step } from './steps.ts';
import { findStoryPlace } from './story-place.ts';
import { syncPath } from './sync-path.ts';

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
  /** What is to become of the old system, beside being kept. */
  readonly oldSystem?: OldSystemWish | undefined;
  readonly newDeploymentId: (commit: string) => string;
  readonly tries: number;
  readonly confirmation: Confirmation;
  /** Seconds since 1970. */
  readonly clock: () => number;
  readonly progress: Progress;
  readonly note: (text: string) => void;
}

/** What confirms the first trial, besides its health checks and a login. */
export interface Confirmation {
  /** Seconds after which it is confirmed without a login; `undefined`: never. */
  readonly after: number | undefined;
  /** Seconds that each try has. */
  readonly deadline: number;
}

/** What was prepared. */
export interface Staged {
  readonly commit: string;
  readonly steps: readonly Step[];
  readonly carried: readonly string[];
  /** How long it took. */
  readonly times: readonly StepTime[];
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
  await removeStaged(host); // what a run that was cut left
  try {
    await mkdir(stagingFolder, { mode: 0o700 });
    const times = new StepTimes(takeOver.clock);
    const { prepared, installerArguments } = await prepare(takeOver, road, times);
    times.begin('read back by GRUB');
    await activate(road);
    if (takeOver.kexec) await loadInstaller(installerArguments);
    return { ...prepared, times: times.ended() };
  } catch (error) {
    await removeStaged(host);
    throw error;
  }
}

async function prepare(takeOver: TakeOver, road: Road, times: StepTimes) {
  const { host, facts, source, remote, keyTexts, progress, note, confirmation } = takeOver;
  const now = takeOver.clock();
  times.begin('fetch and verify');
  const inFolder = (name: string) => join(stagingFolder, name);
  const accepted = await fetchImage(source, inFolder('slot'), progress);
  times.begin('build');
  const image = await ImageFiles.open(inFolder('slot'), accepted.image.size);
  const old = await readOldSystem(host, facts);
  const following = { remote, ref: source.ref, keys: keyTexts, oldSystem: takeOver.oldSystem };
  const commandLine = (await host.readText('/proc/cmdline')) ?? '';
  const consoles = commandLine.split(/\s+/).filter((word) => /^console=[\w,]+$/.test(word));
  const kernelArguments = consoles.join(' ') || 'console=tty0 console=ttyS0';
  const table = road.oldTable === undefined ? 'mbr' : 'gpt';
  const installerArguments = [
    ...['pine.hijack', kernelArguments, 'panic=10 oops=panic softlockup_panic=1'],
    ...(table === 'gpt' ? ['gpt'] : []), // take-over/new-table.ts
  ].join(' ');
  const commit = accepted.checksum;
  const deployment: Deployment = {
    ...{ id: takeOver.newDeploymentId(commit), slot: 'a', commit },
    kernelArguments: `${kernelArguments} pine.deadline=${confirmation.deadline}`,
  };
  const storyAt = await findStoryPlace(host, road.diskPath, facts);
  const record = recordOf(takeOver, { deployment, disk: road.diskPath, storyAt, time: now });
  let carried: ReturnType<typeof carryOver>;
  try {
    const etc = await image.readEtc();
    if (!etc.seesLogins && confirmation.after !== 0) throw tooOld(commit);
    carried = carryOver(etc, old, following, record);
    await image.append('/boot/vmlinuz', inFolder('vmlinuz'));
    await image.append('/boot/initramfs', inFolder('initramfs'));
  } finally {
    await image.close();
  }
  for (const text of carried.notes) note(text);
  await settle(); // resize2fs and e2image look at what is on the disk
  const keptAt = await makeMetadataRoom(host, road, inFolder('metadata'), record.id);
  const disk = await takeOver.planAgain();
  const shrinks = road.fileSystemSize > disk.shrunk.size;
  const { esp } = road;
  const { steps, checks } = await buildPayload({
    ...{ folder: stagingFolder, image: 'slot', accepted, disk, deployment },
    diskSize: road.diskSize,
    firstSector: await host.readBytes(road.diskPath, 0, 512),
    shrinks,
    tries: takeOver.tries,
    oldTable: road.oldTable,
    putOnEsp: esp === undefined ? undefined : (core) => putOnEsp(host, road, esp, core),
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
    ...{ checks: formatChecks(checks), id: record.id, storyAt: record.storyAt },
    keptAt: shrinks ? keptAt : [],
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
  await writeFile(inFolder('record'), formatRecord(record));
  await writeFile(inFolder('story'), times.text());
  await writeFile(inFolder('custom.cfg'), installerEntry(road.fileSystemUuid, installerArguments));
  await chmod(inFolder('custom.cfg'), 0o644);
  const hidden = shrinks ? await hiddenFromGrub(host, road, disk.shrunk.size) : [];
  if (hidden.length > 0) note(hiddenNote(hidden));
  return { prepared: { commit, steps, carried: carried.paths }, installerArguments };
}

/** What the new system is told of all this. */
function recordOf(
  { facts, remote, source, confirmation }: TakeOver,
  known: Pick<TakeOverRecord, 'disk' | 'storyAt' | 'time'> & { readonly deployment: Deployment },
): TakeOverRecord {
  const { deployment, ...rest } = known;
  return {
    ...{ ...rest, id: randomBytes(8).toString('hex'), deployment: deployment.id },
    ...{ commit: deployment.commit, remote, ref: source.ref },
    ...{ system: facts.machine.distribution, kernel: facts.machine.kernel },
    ...{ hostName: facts.login.hostname },
    ...{ confirmAfter: confirmation.after, deadline: confirmation.deadline },
  };
}

/** Puts GRUB's core beside the old one, where nothing starts it yet, and finds how firmware will. */
async function putOnEsp(host: Host, road: Road, esp: EspPlace, core: Buffer): Promise<LoaderSteps> {
  const { number, start, mountPoint, folders } = esp;
  await putReady(mountPoint, folders, core);
  await runProgram('sync', ['-f', mountPoint]);
  await nodeBlockDevice(road.diskPath).dropCache();
  const read = (position: number, length: number) =>
    host.readBytes(road.diskPath, position, length);
  return espLoaderSteps({ read }, start, folders, core, `${road.diskPath}, partition ${number}`);
}

/** The sector of the disk that holds the stage block, which the installer rewrites in place. */
async function findStageSector(host: Host, road: Road, stage: Buffer): Promise<number> {
  const path = join(stagingFolder, 'env');
  const [extent] = await findFileExtents(host, path, stageBlockSize);
  const sector = road.rootStart / 512 + (extent?.start ?? 0);
  await nodeBlockDevice(road.diskPath).dropCache();
  const bytes = await host.readBytes(road.diskPath, sector * 512, stageBlockSize);
  if (bytes.equals(stage)) return sector;
  throw noPlace(path, stageBlockSize, `something else in sector ${sector}`);
}

function hiddenNote([first, ...others]: readonly string[]): string {
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `a power cut in the second in which resize2fs writes its last inodes could hide ${first}${more} from GRUB`;
}

function tooOld(commit: string): PineError {
  return new PineError('INPUT_TAKE_OVER', 'this commit would be confirmed without a login', {
    expected: '/usr/lib/pine/first-login and its service, of the overlay of this version',
    found: 'an older pine in the image',
    where: `commit ${commit.slice(0, 12)}`,
    remedy: 'commit the root again with the overlay of `npm run build`',
  });
}
