import { appendFile, chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Deployment } from '../../../boot/choice.ts';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import type { Progress } from '../../../ports/progress.ts';
import { runProgram } from '../../program.ts';
import type { DiskPlan } from '../disk-plan.ts';
import type { Host } from '../host.ts';
import type { HostFacts } from '../survey.ts';
import { buildPayload, hashFile } from './build-payload.ts';
import { carryOver } from './carry-over.ts';
import { type CommitSource, fetchImage } from './fetch-image.ts';
import { ImageFiles } from './image-files.ts';
import {
  customCfg,
  customCfgMark,
  encodeStage,
  installerEntry,
  stageBlockSize,
  stagingFolder,
  startsWhileWriting,
} from './installer-entry.ts';
import { installerArchive } from './installer-initramfs.ts';
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
 * the installer will write, and has GRUB start it at the next boot, once. Nothing outside of two names in
 * /boot is changed, and a reboot is left to the caller.
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
    const prepared = await prepare(takeOver, road);
    await activate(road);
    return prepared;
  } catch (error) {
    await removeStaged();
    throw error;
  }
}

/** Takes a staged take-over away; says whether there was one. GRUB's script goes first, and durably (S6). */
export async function cancelTakeOver(host: Host): Promise<boolean> {
  const staged = await isStaged(host);
  const remains = await host.exists(stagingFolder);
  if (staged || remains) await removeStaged();
  return staged;
}

async function removeStaged(): Promise<void> {
  const text = await readFile(customCfg, 'utf8').catch(() => '');
  if (text.startsWith(customCfgMark)) {
    await rm(customCfg);
    await syncPath(dirname(customCfg));
  }
  await rm(stagingFolder, { recursive: true, force: true });
}

async function isStaged(host: Host): Promise<boolean> {
  return ((await host.readText(customCfg)) ?? '').startsWith(customCfgMark);
}

async function refuseStaged(host: Host): Promise<void> {
  if (!(await isStaged(host))) return;
  throw new PineError('STATE_HIJACK_STAGED', 'a take-over is staged already', {
    expected: 'none',
    found: `${customCfg} and ${stagingFolder}`,
    where: 'this machine',
    remedy: 'reboot to start it, or take it away with `pinectl hijack --cancel`',
  });
}

async function prepare(takeOver: TakeOver, road: Road): Promise<Staged> {
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
  await writeFile(inFolder('env'), encodeStage({ stage: 'staged', starts: 1 }));
  await syncPath(inFolder('env'));
  const archive = await installerArchive(host, {
    ...{ diskSize: road.diskSize, rootStart: road.rootStart, rootBlockSize: road.blockSize },
    ...{ rootUuid: road.fileSystemUuid, stageSector: await findStageSector(host, road) },
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
  return { commit, steps, carried: carried.paths };
}

/** The sector of the disk that holds the stage block, which the installer rewrites in place. */
async function findStageSector(host: Host, road: Road): Promise<number> {
  const path = join(stagingFolder, 'env');
  const said = (await host.report('filefrag', ['-b512', '-v', path])) ?? '';
  // `   0:        0..       7:    5678..      5685:      8: last,eof`
  const first = /^\s*0:\s+0\.\.\s*\d+:\s+(\d+)\.\./m.exec(said)?.[1];
  const sector = road.rootStart / 512 + Number(first);
  if (first !== undefined) {
    await nodeBlockDevice(road.diskPath).dropCache();
    const bytes = await host.readBytes(road.diskPath, sector * 512, stageBlockSize);
    if (bytes.equals(encodeStage({ stage: 'staged', starts: 1 }))) return sector;
  }
  throw new PineError('PROGRAM_UNEXPECTED', 'where a file lies on the disk could not be found', {
    expected: `filefrag to say where ${path} lies`,
    found: said.split('\n').slice(-3).join('; ') || 'nothing',
    where: road.diskPath,
    remedy: 'report this, with what `filefrag -b512 -v` says',
  });
}

/**
 * The last step: GRUB's script gets its name once everything is where GRUB looks, which ignores the
 * journal (S6). Then GRUB's own code reads it all back.
 */
async function activate(road: Road): Promise<void> {
  await settle();
  await rename(join(stagingFolder, 'custom.cfg'), customCfg);
  await syncPath(dirname(customCfg));
  await settle();
  await nodeBlockDevice(road.diskPath).dropCache();
  const kind = road.oldTable === undefined ? 'msdos' : 'gpt';
  const names = ['vmlinuz', 'initramfs', 'boot.sha256', 'env'];
  for (const path of [customCfg, ...names.map((name) => join(stagingFolder, name))]) {
    await runProgram('grub-fstest', [
      ...[road.diskPath, 'cmp', `(loop0,${kind}${road.rootNumber})${path}`, path],
    ]);
  }
}

/** Everything on the disk, and the journal empty: what freezing does. */
async function settle(): Promise<void> {
  const freeze = 'sync; fsfreeze -f "$1" && fsfreeze -u "$1"';
  await runProgram('sh', ['-c', freeze, 'sh', stagingFolder]);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
