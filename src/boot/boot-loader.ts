import type { BootChoice, Deployment } from './choice.ts';

/** One boot loader, as the rest of pine sees it. A backend is a file in this folder. */
export interface BootLoader {
  /**
   * What the boot loader will choose by. `undefined` when its stored choice is damaged: the
   * machine then runs from the first slot whose hashes passed, and writes a fresh choice.
   */
  readChoice(): Promise<BootChoice | undefined>;
  /** Replaces the choice: one write of one 512-byte sector, flushed and read back (S3). */
  writeChoice(choice: BootChoice): Promise<void>;
  /** `undefined` when the block is empty or damaged. */
  readDeployment(block: number): Promise<Deployment | undefined>;
  /** Must not name a block that the present choice names (S1). Flushed on return (S6). */
  writeDeployment(block: number, deployment: Deployment): Promise<void>;
  /** Empties a block, which must not be one that the present choice names (S1). Flushed on return. */
  clearDeployment(block: number): Promise<void>;
  /** Throws INPUT_KERNEL_ARGUMENTS when a deployment can't carry these arguments. */
  checkArguments(kernelArguments: string): void;
  /** Whether the installed boot loader knows of the old system (`BootChoice.previous`). */
  knowsPrevious(): Promise<boolean>;
  /** The `pine.boot-compat` number that this installed boot loader understands. */
  readonly compatibility: number;
}
