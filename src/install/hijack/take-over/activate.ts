import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeBlockDevice } from '../../../disk/node-block-device.ts';
import { PineError } from '../../../error.ts';
import { runProgram } from '../../program.ts';
import { findEspMount } from '../boot-loader.ts';
import type { Host } from '../host.ts';
import { parseMounts } from '../storage/mounts.ts';
import { removeReady } from './esp-folders.ts';
import { customCfg, customCfgMark, stagingFolder } from './installer-entry.ts';
import { isInstallerLoaded, unloadInstaller } from './kexec-installer.ts';
import type { Road } from './road.ts';
import { syncPath } from './sync-path.ts';

/**
 * The last step: GRUB's script gets its name once everything is where GRUB looks, which ignores the
 * journal (S6). Then GRUB's own code reads it all back.
 */
export async function activate(road: Road): Promise<void> {
  await settle();
  await rename(join(stagingFolder, 'custom.cfg'), customCfg);
  await syncPath(dirname(customCfg));
  await settle();
  await nodeBlockDevice(road.diskPath).dropCache();
  const kind = road.oldTable === undefined ? 'msdos' : 'gpt';
  const names = ['vmlinuz', 'initramfs', 'boot.sha256', 'env'];
  const compare = (number: number, path: string, mounted: string) =>
    runProgram('grub-fstest', [road.diskPath, 'cmp', `(loop0,${kind}${number})${path}`, mounted]);
  for (const path of [customCfg, ...names.map((name) => join(stagingFolder, name))]) {
    await compare(road.rootNumber, path, path);
  }
  const { esp } = road;
  for (const { ready, programs } of esp?.folders ?? []) {
    for (const program of programs) {
      const path = join('/EFI', ready, program);
      await compare(esp?.number ?? 0, path, join(esp?.mountPoint ?? '', path));
    }
  }
}

/** Everything on the disk, and the journal empty: what freezing does. */
export async function settle(): Promise<void> {
  const freeze = 'sync; fsfreeze -f "$1" && fsfreeze -u "$1"';
  await runProgram('sh', ['-c', freeze, 'sh', stagingFolder]);
}

/** Takes a staged take-over away; says whether there was one. GRUB's script goes first, and durably (S6). */
export async function cancelTakeOver(host: Host): Promise<boolean> {
  const staged = await isStaged(host);
  const remains = await host.exists(stagingFolder);
  if (staged || remains) await removeStaged(host);
  return staged;
}

/** Takes everything away, GRUB's script first. */
export async function removeStaged(host: Host): Promise<void> {
  const text = await readFile(customCfg, 'utf8').catch(() => '');
  if (text.startsWith(customCfgMark)) {
    await rm(customCfg);
    await syncPath(dirname(customCfg));
  }
  await unloadInstaller(host);
  const mounts = parseMounts((await host.readText('/proc/self/mountinfo')) ?? '');
  const esp = findEspMount(mounts);
  if (esp !== undefined) await removeReady(esp.mountPoint);
  await rm(stagingFolder, { recursive: true, force: true });
}

async function isStaged(host: Host): Promise<boolean> {
  return ((await host.readText(customCfg)) ?? '').startsWith(customCfgMark);
}

/** Throws STATE_HIJACK_STAGED. */
export async function refuseStaged(host: Host): Promise<void> {
  if (!(await isStaged(host))) return;
  const block = (await host.readText(join(stagingFolder, 'env'))) ?? '';
  const counted = Number(/^pine_starts=(\d+)$/m.exec(block)?.[1] ?? 0) > 0;
  const start = counted ? 'reboot' : (await isInstallerLoaded(host)) && '`systemctl kexec`';
  // It was started and ended before its first write, or another boot forgot what kexec had loaded.
  const reason = /^pine_reason=(.*)$/m.exec(block)?.[1] ?? 'it was started, or forgotten by a boot';
  throw new PineError('STATE_HIJACK_STAGED', 'a take-over is staged already', {
    expected: 'none',
    found: `${customCfg} and ${stagingFolder}${start === false ? ` (${reason})` : ''}`,
    where: 'this machine',
    remedy:
      start === false
        ? 'take it away with `pinectl hijack --cancel`, and stage it again'
        : `${start} to start it, or take it away with \`pinectl hijack --cancel\``,
  });
}
