/**
 * The boot choice: what the boot loader reads to decide what to start.
 *
 * A deployment is named here by the number of its argument block (1 to 4), which holds the rest.
 */
export interface BootChoice {
  /** Argument blocks, best first. What is not in it is not booted (S2: unbootable means not listed). */
  readonly order: readonly number[];
  /** The one deployment on probation. All others in `order` are confirmed. */
  readonly trial?: { readonly block: number; readonly tries: number };
  /** The system that was here before pine is started instead, if it is there (docs/hijack.md). */
  readonly previous?: true;
}

/** The same choice, by which pine is started. */
export function withoutPrevious({ order, trial }: BootChoice): BootChoice {
  return { order, ...(trial && { trial }) };
}

export type SlotName = 'a' | 'b';

/** What an argument block holds. Written and flushed before the boot choice names it (S3). */
export interface Deployment {
  /** Names the deployment's /etc; 1 to 32 of [0-9a-z.-]. */
  readonly id: string;
  readonly slot: SlotName;
  /** Kernel arguments, a single line without quotes or `$`. */
  readonly kernelArguments: string;
  /** The commit in the slot: 64 hex digits. */
  readonly commit: string;
}

/** Numbers of argument blocks that a boot partition has. */
export const argumentBlocks = [1, 2, 3, 4] as const;
