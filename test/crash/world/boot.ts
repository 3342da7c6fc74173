import type { BootLoader } from '../../../src/boot/boot-loader.ts';
import type { BootChoice, Deployment } from '../../../src/boot/choice.ts';
import { decodeChoice, encodeChoice } from '../../../src/boot/grub/choice-codec.ts';
import {
  checkKernelArguments,
  decodeDeployment,
  emptyDeployment,
  encodeDeployment,
} from '../../../src/boot/grub/deployment-codec.ts';
import type { RescueStore } from '../../../src/boot/rescue-store.ts';
import type { Disk } from './disk.ts';

/** Bytes of a boot partition as `BootPartition` lays it out. */
export const bootPartitionSize = 512 + 4 * 4096;

/**
 * GRUB's files at fixed places of a small disk, with the real encodings. That the real ones are found inside
 * ext4 and rewritten in place is tested in test/boot.
 */
export class BootPartition implements BootLoader, RescueStore {
  compatibility = 1;
  rescue: Buffer | undefined;
  readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  async readChoice(): Promise<BootChoice | undefined> {
    return decodeChoice(await this.#read(0, 512));
  }

  async writeChoice(choice: BootChoice): Promise<void> {
    await this.#write(0, encodeChoice(choice));
  }

  async readDeployment(block: number): Promise<Deployment | undefined> {
    return decodeDeployment(await this.#read(place(block), 4096));
  }

  async writeDeployment(block: number, deployment: Deployment): Promise<void> {
    const choice = await this.readChoice();
    if (choice?.order.includes(block)) throw new Error(`S1: block ${block} is listed`);
    await this.#write(place(block), encodeDeployment(deployment));
  }

  async clearDeployment(block: number): Promise<void> {
    const choice = await this.readChoice();
    if (choice?.order.includes(block)) throw new Error(`S1: block ${block} is listed`);
    await this.#write(place(block), emptyDeployment());
  }

  checkArguments = checkKernelArguments;

  knowsPrevious = async () => true;

  async readRescue(): Promise<Buffer | undefined> {
    return this.rescue;
  }

  async writeRescue(tar: Uint8Array): Promise<void> {
    this.rescue = Buffer.from(tar);
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const device = await this.disk.open('read');
    try {
      return await device.read(position, length);
    } finally {
      await device.close();
    }
  }

  async #write(position: number, bytes: Buffer): Promise<void> {
    const device = await this.disk.open('write');
    try {
      await device.write(position, bytes);
      await device.flush();
    } finally {
      await device.close();
    }
  }
}

function place(block: number): number {
  return 512 + (block - 1) * 4096;
}
