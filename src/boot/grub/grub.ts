import { PineError } from '../../error.ts';
import type { BlockDeviceOpener } from '../../ports/block-device.ts';
import type { BootLoader } from '../boot-loader.ts';
import type { BootChoice, Deployment } from '../choice.ts';
import type { RescueStore } from '../rescue-store.ts';
import { decodeChoice, encodeChoice } from './choice-codec.ts';
import {
  checkKernelArguments,
  decodeDeployment,
  emptyDeployment,
  encodeDeployment,
} from './deployment-codec.ts';
import { readBootFile, rewriteBootFile } from './in-place.ts';
import { decodeRescue, encodeRescue } from './rescue-codec.ts';

/** The highest `pine.boot-compat` that this version's grub.cfg starts. */
export const grubCompatibility = 1;

/** Names of files on the boot partition, as grub.cfg uses them. */
export const bootFiles = {
  script: 'grub/grub.cfg',
  choice: 'grub/grubenv',
  deployment: (block: number) => `grub/deployment-${block}.env`,
  rescue: ['grub/rescue-0', 'grub/rescue-1'],
} as const;

/**
 * GRUB on a boot partition that `install/` made, for BIOS and UEFI alike.
 *
 * The partition is never mounted for writing: a mount alone changes its metadata, and GRUB does not
 * replay journals. Each file is found by reading ext4 and rewritten where it lies.
 */
export class GrubBootLoader implements BootLoader, RescueStore {
  readonly compatibility = grubCompatibility;
  readonly #boot: BlockDeviceOpener;

  constructor(boot: BlockDeviceOpener) {
    this.#boot = boot;
  }

  async readChoice(): Promise<BootChoice | undefined> {
    return decodeChoice(await readBootFile(this.#boot, bootFiles.choice));
  }

  async writeChoice(choice: BootChoice): Promise<void> {
    // S3: 512 bytes at the start of a file are one sector, and go out in one write.
    await rewriteBootFile(this.#boot, bootFiles.choice, encodeChoice(choice));
  }

  async knowsPrevious(): Promise<boolean> {
    return (await readBootFile(this.#boot, bootFiles.script)).includes('pine_system');
  }

  async readDeployment(block: number): Promise<Deployment | undefined> {
    return decodeDeployment(await readBootFile(this.#boot, bootFiles.deployment(block)));
  }

  async writeDeployment(block: number, deployment: Deployment): Promise<void> {
    await this.#rewriteBlock(block, encodeDeployment(deployment));
  }

  async clearDeployment(block: number): Promise<void> {
    await this.#rewriteBlock(block, emptyDeployment());
  }

  checkArguments(kernelArguments: string): void {
    checkKernelArguments(kernelArguments);
  }

  async #rewriteBlock(block: number, bytes: Buffer): Promise<void> {
    const choice = await this.readChoice();
    // S1: what the choice names may be booted at any moment.
    if (choice?.order.includes(block)) {
      throw new PineError('STATE_BLOCK_IN_USE', 'the boot choice names this argument block', {
        expected: 'a block that is in no use',
        found: `block ${block} in the order ${choice.order.join(' ')}`,
        where: this.#boot.name,
        remedy: 'report this: pine should have taken another block',
      });
    }
    await rewriteBootFile(this.#boot, bootFiles.deployment(block), bytes);
  }

  async readRescue(): Promise<Buffer | undefined> {
    return (await this.#newestRescue())?.copy.tar;
  }

  async writeRescue(tar: Uint8Array): Promise<void> {
    const newest = await this.#newestRescue();
    const bytes = encodeRescue({ sequence: (newest?.copy.sequence ?? 0) + 1, tar });
    // S7: the newest whole copy stays until the other one is on the medium.
    const path = bootFiles.rescue.find((other) => other !== newest?.path) ?? bootFiles.rescue[0];
    await rewriteBootFile(this.#boot, path, bytes);
  }

  async #newestRescue() {
    const copies = [];
    for (const path of bootFiles.rescue) {
      const copy = decodeRescue(await readBootFile(this.#boot, path));
      if (copy !== undefined) copies.push({ path, copy });
    }
    return copies.sort((a, b) => b.copy.sequence - a.copy.sequence)[0];
  }
}
