import type { Layout } from '../../disk/layout.ts';
import { PineError } from '../../error.ts';
import { chooseLayout } from './choose-layout.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { DiskPlan } from './disk-plan.ts';
import type { MissingDriver } from './drivers.ts';
import { refuseKexec } from './kexec.ts';
import { findRefusals } from './refusals/find-refusals.ts';
import type { HostFacts } from './survey.ts';
import { findLosses, findWarnings } from './warnings.ts';

const mebibyte = 1 << 20;
/** What kernel and initramfs take of an installer's memory; firmware of UEFI keeps more for itself. */
const baseMemory = { bios: 96 * mebibyte, uefi: 192 * mebibyte };
/** Debian needs some of its room while it fetches the payload. */
const breathingSpace = 64 * mebibyte;

/** What a look at a machine came to. Sizes are bytes. */
export interface Preflight {
  readonly refusals: readonly PineError[];
  readonly warnings: readonly string[];
  /** What the old system has and the new one will not. */
  readonly lost: readonly string[];
  readonly disk: DiskPlan | undefined;
  readonly layout: string;
  /** What starts the installer. */
  readonly entry: 'grub' | 'kexec';
  readonly memory: { readonly needed: number; readonly found: number };
  /** What is stored on the old system's disk meanwhile. */
  readonly payload: number;
}

/** Judges whether a system can be taken over, and plans how. Pure: the facts say it all. */
export function judge(
  facts: HostFacts,
  options: {
    readonly commit: CommitFacts | undefined;
    /** Those to choose from, the roomiest first. */
    readonly layouts: readonly Layout[];
    readonly wantedDisk?: string | undefined;
    /** The installer is entered by kexec. */
    readonly kexec?: boolean;
    /** The image lies in the root file system already, and is a part of what that needs. */
    readonly fetched?: boolean;
  },
): Preflight {
  const { commit, fetched = false, kexec = false } = options;
  const refusals = findRefusals(facts, options.wantedDisk);
  if (kexec && facts.machine.container === undefined) refusals.push(...refuseKexec(facts.kexec));
  const memory = memoryNeed(facts);
  const chosen = chooseLayout(facts, options.layouts, commit?.imageSize, fetched);
  if (memory.found < memory.needed) refusals.push(tooLittleMemory(memory));
  if (chosen.refusal !== undefined) refusals.push(chosen.refusal);
  const { ext4, free, root } = facts.storage;
  const spare = chosen.payload + breathingSpace;
  if (ext4 !== undefined && chosen.disk !== undefined && free < spare) {
    refusals.push(
      new PineError('SPACE_OLD_ROOT', 'the root file system has no room for what is fetched', {
        expected: `${spare} bytes free`,
        found: `${free} bytes: ${spare - free} too few`,
        where: root?.source ?? '/',
        remedy: 'remove what is not needed (apt-get clean, old kernels, logs)',
      }),
    );
  }
  for (const missing of commit?.missingDrivers ?? []) refusals.push(noDriver(missing));
  return {
    refusals,
    warnings: findWarnings(facts, commit),
    lost: findLosses(facts),
    disk: chosen.disk,
    layout: chosen.layout.name,
    entry: kexec ? 'kexec' : 'grub',
    memory,
    payload: chosen.payload,
  };
}

/** e2fsck and resize2fs hold some bits for every block and inode. */
function memoryNeed({ machine, storage }: HostFacts): Preflight['memory'] {
  const { blockSize = 4096, size = 0, inodes = 0 } = storage.ext4 ?? {};
  const maps = Math.ceil((size / blockSize + inodes) / 2);
  return { needed: baseMemory[machine.firmware] + maps, found: machine.memory };
}

function tooLittleMemory({ needed, found }: Preflight['memory']): PineError {
  return new PineError('SPACE_MEMORY', 'the machine has too little memory for the installer', {
    expected: `${needed} bytes`,
    found: `${found} bytes: ${needed - found} too few`,
    where: '/proc/meminfo',
    remedy: 'order more memory, for the day of the take-over at least',
  });
}

function noDriver({ device, notInInitramfs }: MissingDriver): PineError {
  const { of, modalias, driver } = device;
  return new PineError('INPUT_NO_DRIVER', `the commit can't drive ${of}`, {
    expected: `a driver for ${modalias} (${driver} here)`,
    found:
      notInInitramfs.length === 0
        ? 'none in modules.alias or built in'
        : `${notInInitramfs.join(', ')}, but not in the initramfs`,
    where: 'the commit',
    remedy:
      notInInitramfs.length === 0
        ? 'commit a tree with a kernel for such machines (linux-virt, linux-lts)'
        : `commit with --module ${notInInitramfs[0]}`,
  });
}
