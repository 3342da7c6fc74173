import { join } from 'node:path';
import { runProgram } from '../../program.ts';
import type { Host } from '../host.ts';
import { stagingFolder } from './installer-entry.ts';

const loaded = '/sys/kernel/kexec_loaded';

/**
 * Loads the installer into memory: `systemctl kexec` starts it once the old system has stopped. The kernel reads the
 * two files itself (kexec_file_load), unless it can't. It says what GRUB's script says of a first start.
 */
export async function loadInstaller(installerArguments: string): Promise<void> {
  await runProgram('kexec', [
    ...['--kexec-syscall-auto', '--load', join(stagingFolder, 'vmlinuz')],
    `--initrd=${join(stagingFolder, 'initramfs')}`,
    `--command-line=${installerArguments} pine.stage=staged`,
  ]);
}

/** Takes it out of memory again, where a kernel is loaded. */
export async function unloadInstaller(host: Pick<Host, 'readText'>): Promise<void> {
  if (await isInstallerLoaded(host)) await runProgram('kexec', ['--unload']);
}

/** Whether `systemctl kexec` would start a kernel. */
export async function isInstallerLoaded(host: Pick<Host, 'readText'>): Promise<boolean> {
  return (await host.readText(loaded))?.trim() === '1';
}
