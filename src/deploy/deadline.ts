import type { Machine } from './machine.ts';
import { confirmedFile } from './paths.ts';

/** Tells the initramfs' deadline process, and the watchdog that it feeds, that this boot is not to be ended. */
export async function stopDeadline(machine: Machine): Promise<void> {
  await machine.files.makeFolder(machine.volatile, 0o755);
  await machine.files.writeFile(confirmedFile(machine), new Uint8Array(), 0o644);
}
