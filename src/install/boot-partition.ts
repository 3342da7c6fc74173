import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { argumentBlocks, type BootChoice, type Deployment } from '../boot/choice.ts';
import { encodeChoice } from '../boot/grub/choice-codec.ts';
import { deploymentSize, encodeDeployment } from '../boot/grub/deployment-codec.ts';
import { encodeEnvironmentBlock } from '../boot/grub/environment-block.ts';
import { bootFiles } from '../boot/grub/grub.ts';
import { grubCfg } from '../boot/grub/grub-cfg.ts';
import { rescueSize } from '../boot/grub/rescue-codec.ts';
import type { InitialEntry } from './file-systems.ts';

/** What each file of the boot partition begins with. Nothing is ever added later. */
export function bootPartitionFiles(
  deployment: Deployment,
  choice: BootChoice = { order: [1] },
): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([
    [bootFiles.script, Buffer.from(grubCfg())],
    [bootFiles.choice, encodeChoice(choice)],
    ['grub/empty/vmlinuz', Buffer.alloc(0)],
    ['grub/empty/initramfs', Buffer.alloc(0)],
    ['grub/empty/pine.cfg', Buffer.alloc(0)],
  ]);
  for (const block of argumentBlocks) {
    const empty = encodeEnvironmentBlock([], deploymentSize);
    files.set(bootFiles.deployment(block), block === 1 ? encodeDeployment(deployment) : empty);
  }
  // Zeros would become a hole, which can't be rewritten in place.
  for (const path of bootFiles.rescue) files.set(path, Buffer.alloc(rescueSize, '#'));
  return files;
}

/** Writes files below `folder` and says what is there, folders first, for `makeExt4`. */
export async function writeTree(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<InitialEntry[]> {
  const folders = new Set<string>();
  for (const path of files.keys()) {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) folders.add(at);
  }
  for (const path of [...folders].sort()) await mkdir(join(folder, path), { recursive: true });
  for (const [path, bytes] of files) await writeFile(join(folder, path), bytes);
  return [
    ...[...folders].sort().map((path) => ({ path, mode: 0o40755 })),
    ...[...files.keys()].map((path) => ({ path, mode: 0o100644 })),
  ];
}
