import type { BootLoader } from '../boot/boot-loader.ts';
import type { SlotName } from '../boot/choice.ts';
import type { RescueStore } from '../boot/rescue-store.ts';
import type { BlockDeviceOpener } from '../ports/block-device.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import type { Network } from '../ports/network.ts';

/** Why the boot loader passed over a deployment: its block, and `hash`, `tries`, `save`, `load` or `block`. */
export interface Skip {
  readonly block: number;
  readonly why: string;
}

/** What the boot loader started, and what the initramfs saw on the way. */
export interface Running {
  readonly deployment: string;
  readonly slot: SlotName;
  /** `undefined` when an emergency boot found no argument block for the slot. */
  readonly block: number | undefined;
  readonly choice: 'order' | 'trial' | 'emergency';
  readonly skipped: readonly Skip[];
  /** Why the boot loader did not start the old system, which was chosen: `missing` or `load`. */
  readonly previousSkipped?: string | undefined;
  readonly data: 'ok' | 'repaired' | 'degraded';
  /** What e2fsck or mount said, one line; empty when there was nothing to say. */
  readonly dataDetail: string;
  /** The last reset came from the hardware watchdog. */
  readonly watchdogFired: boolean;
  /** Seconds that a trial has from the start of its boot. Absent where nothing boots. */
  readonly deadline?: number;
}

/** How a health check or a hook ended. */
export interface ProgramResult {
  readonly passed: boolean;
  /** `exit 1`, `killed by SIGSEGV`, `no answer within 60 s`, with the last lines that it printed. */
  readonly detail: string;
  /** What it named as failed, with a line `failed: NAME` for each. */
  readonly parts?: readonly string[];
}

export interface ProgramOptions {
  readonly parameters?: readonly string[];
  /** Variables besides those that pinectl has itself. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a machine does that is neither a block device nor a file. */
export interface Effects {
  /** Starts an orderly reboot and returns. */
  reboot(): Promise<void>;
  /** Runs one executable; never rejects, and kills its whole process group when time is up. */
  runProgram(
    path: string,
    timeoutSeconds: number,
    options?: ProgramOptions,
  ): Promise<ProgramResult>;
  /** From now on whatever else this machine has to do goes first. Absent where nothing else is done. */
  giveWay?(): void;
  /** Takes the one lock of this machine; throws STATE_LOCKED when another still has it after the wait. */
  lock(waitSeconds?: number): Promise<Lock>;
}

export interface Lock {
  release(): Promise<void>;
}

/** Where deployments live: a booted server, or a disk image file that stands for one. */
export interface Machine {
  readonly slots: Readonly<Record<SlotName, BlockDeviceOpener>>;
  readonly bootLoader: BootLoader;
  /** A copy of what a degraded machine needs to be reachable (S11); absent where there is none. */
  readonly rescue?: RescueStore | undefined;
  /** The partition of the system that was here before pine, or what became of it; absent where there never was one. */
  readonly previous?: BlockDeviceOpener & { readonly path: string };
  readonly files: FileSystem;
  /** The whole disk, as a path. */
  readonly disk?: string;
  /** Where the running image is mounted: `/`. Absent for a disk image file, which nobody mounts. */
  readonly root?: string;
  /** Where the data partition is: `/data`. */
  readonly data: string;
  /** The /etc of the running deployment. */
  readonly etc: string;
  /** Where root's and the users' own folders are: `/root` and `/home`. */
  readonly homes: { readonly root: string; readonly users: string };
  /** A folder that a reboot empties: `/run/pine`. */
  readonly volatile: string;
  /** Where the firmware's records of kernel panics are: `/sys/fs/pstore`. Absent where nothing boots. */
  readonly crashRecords?: string;
  /** Folders with health checks: the administrator's, then the image's. */
  readonly healthFolders: readonly string[];
  /** Folders with a folder of hooks for each event, likewise; none where nothing boots. */
  readonly hookFolders: readonly string[];
  readonly clock: Clock;
  /** Absent where there is none to look at: a disk image. */
  readonly network?: Network | undefined;
  readonly running: Running;
  readonly effects: Effects;
}

/** The slot that the machine does not run from. */
export function otherSlot(slot: SlotName): SlotName {
  return slot === 'a' ? 'b' : 'a';
}
